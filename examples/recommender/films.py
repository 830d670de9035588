"""Recommend films to users: what those like who rate films as they do.

The ratings are made, not collected: each user likes two kinds of films, and rates films of these kinds more often, and
better, than others. A row is a user; it has a number for each film that he rated, how far the rating is above or below
three stars. One film that he liked is kept back from each user, to see whether it is among those recommended to him.
Works in process; with --server it asks a running jubarecommender, which has the same methods.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from random import Random

from jubatus import Recommender, embedded
from jubatus.common import Datum

HERE = Path(__file__).parent
KINDS = ("adventure", "comedy", "crime", "documentary", "drama", "fantasy", "horror", "western")
FILMS_OF_A_KIND = 25
USERS = 600
RATINGS = 40
"""Films that a user rates."""
RECOMMENDED = 10
SHOWN = ("user 001", "user 002")


def make_ratings(random: Random) -> dict[str, dict[str, int]]:
    """Return the stars, 1 to 5, that each user gave to films."""
    films = {f"{kind} {i:02}": random.gauss(0, 0.6) for kind in KINDS for i in range(1, FILMS_OF_A_KIND + 1)}
    ratings = {}
    for number in range(1, USERS + 1):
        liked = random.sample(KINDS, 2)
        chances = [3 if kind_of(film) in liked else 1 for film in films]
        rated = set(random.choices(list(films), chances, k=RATINGS))
        ratings[f"user {number:03}"] = {
            film: min(5, max(1, round((4 if kind_of(film) in liked else 2.5) + films[film] + random.gauss(0, 0.7))))
            for film in sorted(rated)
        }
    return ratings


def kind_of(film: str) -> str:
    """Return the kind of a film."""
    return film.partition(" ")[0]


def keep_back(random: Random, ratings: dict[str, dict[str, int]]) -> dict[str, str]:
    """Take one film that he liked away from each user, and return them."""
    kept = {
        user: random.choice([film for film, stars in rated.items() if stars >= 4]) for user, rated in ratings.items()
    }
    for user, film in kept.items():
        del ratings[user][film]
    return kept


def best(scores: dict[str, float], rated: dict[str, int]) -> list[str]:
    """Return the films with the highest scores that a user has not rated."""
    return sorted((film for film in scores if film not in rated), key=lambda film: -scores[film])[:RECOMMENDED]


def main() -> None:
    """Add all users, and recommend films to each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-s", "--server", metavar="HOST:PORT", help="of a jubarecommender; without it, in process")
    options = parser.parse_args()
    if options.server:
        host, _, port = options.server.rpartition(":")
        users: Recommender | embedded.Recommender = Recommender(host, int(port), "films", 10)
    else:
        users = embedded.Recommender(HERE / "config.json")
    random = Random(7)
    ratings = make_ratings(random)
    kept = keep_back(random, ratings)
    total: Counter[str] = Counter()
    for rated in ratings.values():
        total.update({film: stars - 3 for film, stars in rated.items()})
    right = popular = 0
    with users:
        for user, rated in ratings.items():
            users.update_row(user, Datum({film: float(stars - 3) for film, stars in rated.items()}))
        for user, rated in ratings.items():
            mean = users.complete_row_from_id(user)
            recommended = best(dict(mean.num_values), rated)
            right += kept[user] in recommended
            popular += kept[user] in best(dict(total), rated)
            if user in SHOWN:
                similar = users.similar_row_from_id(user, 4)[1:]
                print(f"{user} likes {favourites(rated)}")
                print(f"  similar: {', '.join(f'{each.id} ({each.score:.2f})' for each in similar)}")
                print(f"  to see:  {', '.join(recommended[:5])}")
    print(f"the film that was kept back is among the {RECOMMENDED} recommended for {right} of {USERS} users,")
    print(f"and among the {RECOMMENDED} films that all users like best for {popular}")


def favourites(rated: dict[str, int]) -> str:
    """Return some films that a user rated with most stars."""
    return ", ".join(sorted(rated, key=lambda film: -rated[film])[:4])


if __name__ == "__main__":
    sys.exit(main())
