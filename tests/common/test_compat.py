from jubatus.common.compat import b, binary_types, int_types, string_types, u


def test_names_for_both_pythons() -> None:
    assert (u("é"), b("é")) == ("é", b"\xc3\xa9")
    assert (int_types, string_types, binary_types) == ((int,), (str,), (bytes,))
