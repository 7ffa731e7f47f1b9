#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Computes cell.txt, blob.txt and channel.txt again, by another path.

Written from the text of docs/PROTOCOL.md on Python's hashlib and on the package
"cryptography" (OpenSSL), so that it shares no code with protocol/.  Not part of `make
test`, which compares protocol/ with the same files.  Run it after changing a vector:

    apt-get install python3-cryptography; python3 tests/vectors/recompute.py
"""
import hashlib
import hmac
import os
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PAYLOAD_MAX = 3997
checked = 0


def load(name):
    """{record: {key: text}} of NAME.txt"""
    records, current = {}, None
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".txt")
    with open(path, encoding="ascii") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("["):
                current = records[line[1:-1]] = {}
            elif line and not line.startswith("#"):
                key, _, value = line.partition(" ")
                current[key] = value
    return records


def check(record, key, computed):
    global checked
    if isinstance(computed, int):
        same = computed == int(record[key])
    else:
        same = computed.hex() == record[key]
    if not same:
        sys.exit(f"{key}: the file has {record[key][:64]}, computed {computed!r:.80}")
    checked += 1


def get(record, key):
    return bytes.fromhex(record[key])


def sample(n):
    return bytes((7 * i + i // 251) & 255 for i in range(n))


def content(record, key):
    return get(record, key) if key in record else sample(int(record["sample_len"]))


def blake(data, key=b""):
    return hashlib.blake2b(data, digest_size=32, key=key).digest()


def public(sk):
    pk = X25519PrivateKey.from_private_bytes(sk).public_key()
    return pk.public_bytes(Encoding.Raw, PublicFormat.Raw)


def dh(sk, pk):
    return X25519PrivateKey.from_private_bytes(sk).exchange(X25519PublicKey.from_public_bytes(pk))


def stream(seed, n):
    """ChaCha20 under seed from block 0, nonce 0"""
    return Cipher(algorithms.ChaCha20(seed, bytes(16)), None).encryptor().update(bytes(n))


# RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, mode_psk
KEM = b"KEM\x00\x20"
SUITE = b"HPKE\x00\x20\x00\x01\x00\x03"


def hmac256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def extract(suite, salt, label, ikm):
    return hmac256(salt, b"HPKE-v1" + suite + label + ikm)


def expand(suite, prk, label, info, n):
    info = struct.pack(">H", n) + b"HPKE-v1" + suite + label + info
    return hmac256(prk, info + b"\x01")[:n]  # one block is enough for all of ours


def key_schedule_context(number):
    return (b"\x01" + extract(SUITE, b"", b"psk_id_hash", struct.pack(">I", number))
            + extract(SUITE, b"", b"info_hash", b"amparo/1 cell"))


def cell(eph_sk, reader_pk, psk, number, form, payload, ds=None):
    """every figure of one cell, by name; ds is given for chunks only"""
    f = {"E": public(eph_sk)}
    prk = extract(KEM, b"", b"eae_prk", dh(eph_sk, reader_pk))
    f["shared_secret"] = expand(KEM, prk, b"shared_secret", f["E"] + reader_pk, 32)
    context = key_schedule_context(number)
    secret = extract(SUITE, f["shared_secret"], b"secret", psk)
    f["key"] = expand(SUITE, secret, b"key", context, 32)
    f["base_nonce"] = expand(SUITE, secret, b"base_nonce", context, 12)
    f["exporter_secret"] = expand(SUITE, secret, b"exp", context, 32)
    f["ds"] = ds or expand(SUITE, f["exporter_secret"], b"sec", b"amparo/1 erase", 32)
    f["T"] = blake(b"amparo/1 tag" + f["ds"])
    plain = (struct.pack(">BH", form, len(payload)) + payload).ljust(4000, b"\0")
    f["cell"] = f["E"] + f["T"] + ChaCha20Poly1305(f["key"]).encrypt(f["base_nonce"], plain, f["T"])
    f["id"] = blake(f["cell"])
    return f


def check_cell(record, figures):
    for key, value in figures.items():
        if key in record:
            check(record, key, value)


def cells():
    v = load("cell")
    for name in ("season", "season of a large number"):
        check(v[name], "context", key_schedule_context(int(v[name]["number"])))
    psk = get(v["season"], "psk")
    for name in ("statement", "empty spilled", "full board", "join"):
        r = v[name]
        check(r, "eph_sk", stream(get(r, "seed"), 32))
        check(r, "reader_pk", public(get(r, "reader_sk")))
        check_cell(r, cell(get(r, "eph_sk"), get(r, "reader_pk"), psk, int(r["season"]),
                           int(r["form"]), content(r, "payload")))
    r = v["decoy"]
    drawn = stream(get(r, "seed"), 64)
    check(r, "reader_sk", drawn[:32])
    check(r, "reader_pk", public(drawn[:32]))
    check(r, "eph_sk", drawn[32:])
    check_cell(r, cell(drawn[32:], public(drawn[:32]), psk, int(r["season"]), 0, b""))


def chunk_ds(sk, i):
    return blake(b"amparo/1 chunk erase" + struct.pack(">I", i), key=sk)


def blobs():
    v = load("blob")
    for name in ("blob", "empty blob"):
        r = v[name]
        data, sk = sample(int(r["size"])), stream(get(r, "seed"), 32)
        check(r, "hash", blake(data))
        check(r, "reference", sk + struct.pack(">I", len(data)) + blake(data))
        check(r, "n_chunks", max(1, -(-len(data) // PAYLOAD_MAX)))
    check(r, "ds_0", chunk_ds(sk, 0))
    check(r, "T_0", blake(b"amparo/1 tag" + chunk_ds(sk, 0)))
    sk, data = stream(get(v["blob"], "seed"), 32), sample(int(v["blob"]["size"]))
    check(v["blob"], "sk", sk)
    for i in range(int(v["blob"]["n_chunks"])):
        r = v[f"chunk {i}"]
        check(r, "eph_sk", stream(get(r, "seed"), 32))
        check_cell(r, cell(get(r, "eph_sk"), public(sk), get(r, "season_psk"), int(r["season"]),
                           2, data[PAYLOAD_MAX * i:PAYLOAD_MAX * (i + 1)], chunk_ds(sk, i)))


# Noise_NKpsk0_25519_ChaChaPoly_SHA512
def noise_hkdf(ck, ikm, n):
    prk = hmac.new(ck, ikm, hashlib.sha512).digest()
    out = [b""]
    for i in range(1, n + 1):
        out.append(hmac.new(prk, out[-1] + bytes([i]), hashlib.sha512).digest())
    return out[1:]


def frame(key, n, message):
    plain = (struct.pack(">H", len(message)) + message).ljust(4176, b"\0")
    return ChaCha20Poly1305(key).encrypt(bytes(4) + struct.pack("<Q", n), plain, b"")


def channels():
    v = load("channel")
    r = v["access"]
    server_pk = public(get(r, "server_sk"))
    psk = blake(b"amparo/1 access" + server_pk, key=get(r, "access_key"))
    check(r, "server_pk", server_pk)
    check(r, "derived", psk)

    def mix_hash(data):
        return hashlib.sha512(h + data).digest()

    r = v["handshake"]
    client_e, server_e = stream(get(r, "client_seed"), 32), stream(get(r, "server_seed"), 32)
    check(r, "client_e_sk", client_e)
    check(r, "server_e_sk", server_e)
    ck = h = b"Noise_NKpsk0_25519_ChaChaPoly_SHA512".ljust(64, b"\0")
    h = mix_hash(b"amparo/1")
    h = mix_hash(server_pk)
    ck, mixed, key = noise_hkdf(ck, psk, 3)
    h = mix_hash(mixed)
    for name, sk, peer in (("message_1", client_e, server_pk),
                           ("message_2", server_e, public(client_e))):
        e = public(sk)
        h = mix_hash(e)
        ck, key = noise_hkdf(ck, e, 2)
        ck, key = noise_hkdf(ck, dh(sk, peer), 2)
        tag = ChaCha20Poly1305(key[:32]).encrypt(bytes(12), b"", h)
        h = mix_hash(tag)
        check(r, name, e + tag)
    check(r, "hash", h)
    to_server, to_client = (k[:32] for k in noise_hkdf(ck, b"", 2))
    check(r, "key_to_server", to_server)
    check(r, "key_to_client", to_client)
    check(v["to server 0"], "frame", frame(to_server, 0, get(v["to server 0"], "message")))
    for name, key, n in (("to server 1", to_server, 1), ("to client 0", to_client, 0)):
        check(v[name], "digest", blake(frame(key, n, content(v[name], "message"))))


cells()
blobs()
channels()
print(f"{checked} figures of cell.txt, blob.txt and channel.txt computed again: all the same")
