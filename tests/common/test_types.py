import jubatus.types
from jubatus import common
from jubatus.common import datum, types


def test_there_is_one_set_of_types() -> None:
    for name in types.__all__:
        assert getattr(types, name) is getattr(jubatus.types, name)
    for name in set(types.__all__) & set(common.__all__):
        assert getattr(common, name) is getattr(types, name)
    assert common.Datum is datum.Datum is jubatus.types.Datum


def test_the_official_names_are_there() -> None:
    names = "Datum TInt TFloat TBool TString TRaw TNullable TList TMap TTuple TUserDef TObject Client ClientBase"
    names += " MessageStringGenerator TypeMismatch UnknownMethod connect contextmanager"
    assert set(names.split()) <= set(common.__all__)
    for name in common.__all__:
        assert hasattr(common, name)
    assert {"TPrimitive", "TDatum", "TEnum", "check_type", "check_types", "int_types"} <= set(types.__all__)
