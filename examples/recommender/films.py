"""Recommend films to people by what people of the same taste think of them.

The data are made up: 300 people with a taste of their own for four kinds of films, each of whom has rated 12 of 40 films
from -2 to 2. For some of them it prints who is most similar, and the films that these think best of and that they have
not seen. At the end it prints how people would have rated what is recommended to them, and what they have not seen on
average. Works in process; with --server it asks a running jubarecommender, which has the same methods.
"""

import argparse
import sys
from pathlib import Path
from random import Random

from jubatus import Recommender, embedded
from jubatus.common import Datum

HERE = Path(__file__).parent
KINDS = ("crime", "love", "space", "war")
FILMS = [f"{kind} {number}" for kind in KINDS for number in range(1, 11)]
PEOPLE = [f"person {number}" for number in range(1, 301)]
SHOWN = ("person 1", "person 2", "person 3")
RATED = 12
RECOMMENDED = 3


def opinions(random: Random) -> dict[str, int]:
    """Return what somebody would think of each film, by a taste for kinds, from -2 to 2."""
    taste = {kind: random.gauss(0, 1.2) for kind in KINDS}
    return {film: max(-2, min(2, round(taste[film.split()[0]] + random.gauss(0, 0.5)))) for film in FILMS}


def main() -> None:
    """Tell the ratings of all people, then recommend films to each of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-s", "--server", metavar="HOST:PORT", help="of a jubarecommender; without it, in process")
    options = parser.parse_args()
    if options.server:
        host, _, port = options.server.rpartition(":")
        rows: Recommender | embedded.Recommender = Recommender(host, int(port), "films", 10)
    else:
        rows = embedded.Recommender(HERE / "config.json")
    random = Random(7)
    opinion = {person: opinions(random) for person in PEOPLE}
    seen = {person: random.sample(FILMS, RATED) for person in PEOPLE}
    with rows:
        for person in PEOPLE:
            rows.update_row(person, Datum({film: opinion[person][film] for film in seen[person]}))
        chosen = {person: recommend(rows, person, seen[person]) for person in PEOPLE}
        for person in SHOWN:
            liked = [film for film in sorted(seen[person]) if opinion[person][film] > 0]
            print(f"{person} likes {', '.join(liked) or 'no film'}")
            for row in rows.similar_row_from_id(person, 4)[1:]:
                print(f"  {row.score:.3f} {row.id}")
            print(f"  recommended: {', '.join(chosen[person])}")
    taken = [opinion[person][film] for person in PEOPLE for film in chosen[person]]
    others = [opinion[person][film] for person in PEOPLE for film in FILMS if film not in seen[person]]
    print(
        f"rating of recommended films: {sum(taken) / len(taken):.2f}, of all unseen ones: {sum(others) / len(others):.2f}"
    )


def recommend(rows: "Recommender | embedded.Recommender", person: str, seen: list[str]) -> list[str]:
    """Return the films that similar people think best of and the person has not seen."""
    means = dict(rows.complete_row_from_id(person).num_values)
    unseen = [film for film in means if film not in seen]
    return sorted(unseen, key=lambda film: (-means[film], film))[:RECOMMENDED]


if __name__ == "__main__":
    sys.exit(main())
