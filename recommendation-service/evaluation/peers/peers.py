"""Lists by libraries that researchers use, for `recommendation-service evaluate --lists NAME=FILE`.

    python peers.py DIRECTORY user-time|random|global-time

reads DIRECTORY/train.csv and DIRECTORY/users.csv (written by `evaluate --export DIRECTORY`), tunes each peer on a part of
train.csv that is divided off in the same way, and writes DIRECTORY/lists-NAME.tsv: user<TAB>movie ids, best first.
All see the same: likes (3.5 stars or more) to learn from; what a user has rated is never listed.
"""

import csv
import itertools
import pathlib
import random
import sys

import numpy as np
import scipy.sparse as sp

LIKED_FROM, MIN_LIKES, LENGTH = 3.5, 5, 100


def read(directory):
    with open(directory / "train.csv") as file:
        rows = [(int(r["userId"]), int(r["movieId"]), float(r["rating"]), int(r["timestamp"])) for r in csv.DictReader(file)]
    with open(directory / "users.csv") as file:
        return rows, [int(row["userId"]) for row in csv.DictReader(file)]


def divide(rows, kind, seed=43):
    """A fifth for validation, as the program itself does."""
    if kind == "global-time":
        times = sorted(row[3] for row in rows)
        first = times[len(times) - (2 * len(times) + 5) // 10]
        return [row for row in rows if row[3] < first], [row for row in rows if row[3] >= first]
    train, rest = [], []
    by_user = lambda row: row[0]
    for _, group in itertools.groupby(sorted(rows), key=by_user):
        group = sorted(group, key=lambda row: (row[3], row[1]))
        if kind == "random":
            random.Random(f"{seed} {group[0][0]}").shuffle(group)
        kept = len(group) - (2 * len(group) + 5) // 10
        train += group[:kept]
        rest += group[kept:]
    return train, rest


class Data:
    """Likes as a sparse matrix, and what each user has rated."""

    def __init__(self, rows):
        likes = [row for row in rows if row[2] >= LIKED_FROM]
        self.movies = sorted({row[1] for row in likes})
        self.users = sorted({row[0] for row in rows})
        movie, user = ({id: n for n, id in enumerate(ids)} for ids in (self.movies, self.users))
        self.user = user
        shape = (len(self.users), len(self.movies))
        at = ([user[r[0]] for r in likes], [movie[r[1]] for r in likes])
        self.likes = sp.csr_matrix((np.ones(len(likes), np.float32), at), shape=shape)
        self.rated = [[] for _ in self.users]
        for row in rows:
            if row[1] in movie:
                self.rated[user[row[0]]].append(movie[row[1]])

    def lists(self, scores, users):
        result = {}
        for user in users:
            row = np.asarray(scores[self.user[user]], np.float64).ravel().copy()
            row[self.rated[self.user[user]]] = -np.inf
            best = np.argsort(-row, kind="stable")[:LENGTH]
            result[user] = [self.movies[index] for index in best if np.isfinite(row[index])]
        return result


def ndcg_10(lists, held_out):
    relevant = {}
    for user, movie, stars, _ in held_out:
        if stars >= LIKED_FROM:
            relevant.setdefault(user, set()).add(movie)
    discount = 1 / np.log2(np.arange(2, 12))
    values = []
    for user, wanted in relevant.items():
        if user in lists:
            hits = [movie in wanted for movie in lists[user][:10]]
            values.append(sum(d for d, hit in zip(discount, hits) if hit) / discount[: min(10, len(wanted))].sum())
    return float(np.mean(values))


def ease(data, ridge):
    """EASE of cornac, on likes alone."""
    import cornac
    from cornac.models import EASE

    rows, columns = data.likes.nonzero()
    triples = [(int(user), int(movie), 1.0) for user, movie in zip(rows, columns)]
    train_set = cornac.data.Dataset.build(triples)
    model = EASE(lamb=ridge, posB=False, verbose=False, seed=1).fit(train_set)
    scores = np.full(data.likes.shape, -1e9)
    ids = [int(id) for id in train_set.item_ids]
    for user, index in train_set.uid_map.items():
        scores[user, ids] = np.asarray(model.score(index)).ravel()
    return scores


def als(data, factors, regularization, alpha):
    """ALS of implicit."""
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        factors=factors, regularization=regularization, alpha=alpha, iterations=15, random_state=1, num_threads=1
    )
    model.fit(data.likes, show_progress=False)
    return model.user_factors @ model.item_factors.T


def item_knn(data, neighbours, kind):
    """Item-kNN of implicit: cosine, or weighted by BM25 or TF-IDF."""
    from implicit import nearest_neighbours as nn

    model = {"cosine": nn.CosineRecommender, "bm25": nn.BM25Recommender, "tfidf": nn.TFIDFRecommender}[kind](K=neighbours)
    model.fit(data.likes, show_progress=False)
    return (data.likes @ model.similarity).toarray()


PEERS = {
    "cornac-ease": (ease, [(ridge,) for ridge in (50.0, 100.0, 200.0, 300.0, 400.0, 800.0)]),
    "implicit-item-knn": (item_knn, list(itertools.product((20, 50, 100, 200, 500), ("cosine", "bm25", "tfidf")))),
    "implicit-als": (als, list(itertools.product((16, 32, 64), (0.01, 1.0, 10.0, 50.0), (1.0, 5.0, 20.0)))),
}


def main():
    directory, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
    rows, users = read(directory)
    training, held_out = divide(rows, kind)
    part, whole = Data(training), Data(rows)
    likes = {user: part.likes[part.user[user]].nnz for user in part.users}
    judged = [user for user in part.users if likes[user] >= MIN_LIKES]
    for name, (fit, grid) in PEERS.items():
        measured = [(ndcg_10(part.lists(fit(part, *settings), judged), held_out), settings) for settings in grid]
        best, settings = max(measured, key=lambda pair: pair[0])
        print(f"{name}: {settings}, NDCG@10 {best:.4f} on the validation part", flush=True)
        with open(directory / f"lists-{name}.tsv", "w") as file:
            for user, movies in whole.lists(fit(whole, *settings), users).items():
                file.write(f"{user}\t{' '.join(map(str, movies))}\n")


main()
