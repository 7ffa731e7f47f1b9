/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "address.h"

#include <sodium.h>
#include <string.h>

#include "b64.h"

#define ONION_LEN    56          /* characters of base 32 before ".onion" */
#define ONION_BYTES  35
#define ARMOR_MAX    512         /* base64url characters of any text here, blanks removed */

static const char onion_suffix[] = ".onion";
static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

/* ---- text -------------------------------------------------------------------------------- */

/* decimal 1..65535 without leading zeros */
static bool read_port(uint16_t *port, const char *s)
{
	unsigned v = 0;
	size_t n = strlen(s);

	if (n < 1 || n > 5 || s[0] == '0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (unsigned)(*s - '0');
	}
	*port = (uint16_t)v;
	return v <= UINT16_MAX;
}

static bool is_host_char(char c, bool is_v6)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
	    c == '.')
		return true;
	if (is_v6)
		return c == ':';
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

enum perr address_split(char host[ADDRESS_TEXT_MAX + 1], uint16_t *port, const char *text)
{
	size_t len = strnlen(text, ADDRESS_TEXT_MAX + 1);
	const char *colon = strrchr(text, ':');
	const char *begin = text, *end = colon;
	bool is_v6 = text[0] == '[';

	host[0] = '\0';
	*port = 0;
	if (len > ADDRESS_TEXT_MAX || colon == NULL || !read_port(port, colon + 1))
		return PERR_FORMAT;
	if (is_v6) {
		if (colon == text || colon[-1] != ']')
			return PERR_FORMAT;
		begin = text + 1;
		end = colon - 1;
	}
	if (begin >= end || *begin == '-')
		return PERR_FORMAT;
	for (const char *p = begin; p < end; p++)
		if (!is_host_char(*p, is_v6))
			return PERR_FORMAT;
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	return PERR_OK;
}

bool address_is_valid(const char *text)
{
	char host[ADDRESS_TEXT_MAX + 1];
	uint16_t port;

	return address_split(host, &port, text) == PERR_OK;
}

/* ---- onion names ------------------------------------------------------------------------- */

/* 56 characters are 280 bits are 35 bytes, nothing left over */
static bool onion_bytes(uint8_t out[ONION_BYTES], const char *name)
{
	unsigned acc = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < ONION_LEN; i++) {
		const char *at = name[i] == '\0' ? NULL : strchr(base32, name[i]);

		if (at == NULL)
			return false;
		acc = acc << 5 | (unsigned)(at - base32);
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (uint8_t)(acc >> bits);
			acc &= (1u << bits) - 1;
		}
	}
	return true;
}

static void onion_text(char name[ONION_LEN + 1], const uint8_t in[ONION_BYTES])
{
	unsigned acc = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < ONION_BYTES; i++) {
		acc = acc << 8 | in[i];
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			name[n++] = base32[acc >> bits & 31];
		}
		acc &= (1u << bits) - 1;
	}
	name[n] = '\0';
}

static bool split_onion(uint8_t onion[ONION_BYTES], uint16_t *port, const char *text)
{
	char host[ADDRESS_TEXT_MAX + 1];

	return address_split(host, port, text) == PERR_OK &&
	       strlen(host) == ONION_LEN + sizeof onion_suffix - 1 &&
	       strcmp(host + ONION_LEN, onion_suffix) == 0 && onion_bytes(onion, host);
}

bool address_is_onion(const char *text)
{
	uint8_t onion[ONION_BYTES];
	uint16_t port;

	return split_onion(onion, &port, text);
}

/* ---- bytes ------------------------------------------------------------------------------- */

enum perr address_encode(uint8_t out[ADDRESS_BYTES_MAX], size_t *out_len, const char *text)
{
	uint16_t port;
	size_t len = strnlen(text, ADDRESS_TEXT_MAX + 1);

	*out_len = 0;
	if (!address_is_valid(text))
		return PERR_FORMAT;
	if (split_onion(out + 1, &port, text)) {
		out[0] = 1;
		out[1 + ONION_BYTES] = (uint8_t)(port >> 8);
		out[2 + ONION_BYTES] = (uint8_t)port;
		*out_len = 1 + ONION_BYTES + 2;
		return PERR_OK;
	}
	if (len > ADDRESS_HOST_MAX)
		return PERR_RANGE;
	out[0] = 0;
	out[1] = (uint8_t)len;
	memcpy(out + 2, text, len);
	*out_len = 2 + len;
	return PERR_OK;
}

static enum perr decode_host(char text[ADDRESS_TEXT_MAX + 1], size_t *used, const uint8_t *in,
                             size_t in_len)
{
	size_t len;

	if (in_len < 2 || in[1] > ADDRESS_HOST_MAX || in_len - 2 < in[1])
		return PERR_FORMAT;
	len = in[1];
	memcpy(text, in + 2, len);
	text[len] = '\0';
	/* strlen: a zero inside would hide what follows it */
	if (strlen(text) != len || !address_is_valid(text))
		return PERR_FORMAT;
	*used = 2 + len;
	return PERR_OK;
}

static enum perr decode_onion(char text[ADDRESS_TEXT_MAX + 1], size_t *used, const uint8_t *in,
                              size_t in_len)
{
	unsigned port, digits = 1;
	size_t at = ONION_LEN + sizeof onion_suffix - 1;

	if (in_len < 1 + ONION_BYTES + 2)
		return PERR_FORMAT;
	port = (unsigned)in[1 + ONION_BYTES] << 8 | in[2 + ONION_BYTES];
	if (port == 0)
		return PERR_FORMAT;
	onion_text(text, in + 1);
	memcpy(text + ONION_LEN, onion_suffix, sizeof onion_suffix - 1);
	text[at++] = ':';
	for (unsigned v = port; v >= 10; v /= 10)
		digits++;
	text[at + digits] = '\0';
	for (; digits > 0; digits--, port /= 10)
		text[at + digits - 1] = (char)('0' + port % 10);
	*used = 1 + ONION_BYTES + 2;
	return PERR_OK;
}

enum perr address_decode(char text[ADDRESS_TEXT_MAX + 1], size_t *used, const uint8_t *in,
                         size_t in_len)
{
	enum perr err = PERR_FORMAT;

	memset(text, 0, ADDRESS_TEXT_MAX + 1);
	*used = 0;
	if (in_len > 0 && in[0] == 0)
		err = decode_host(text, used, in, in_len);
	else if (in_len > 0 && in[0] == 1)
		err = decode_onion(text, used, in, in_len);
	if (err != PERR_OK)
		memset(text, 0, ADDRESS_TEXT_MAX + 1);
	return err;
}

/* ---- what people copy -------------------------------------------------------------------- */

/* PROTOCOL 9.1: "check = first 4 bytes of `H` of all before" */
static void check_of(uint8_t check[ADDRESS_CHECK_SIZE], const uint8_t *bytes, size_t len)
{
	uint8_t hash[32];

	crypto_generichash(hash, sizeof hash, bytes, len, NULL, 0);
	memcpy(check, hash, ADDRESS_CHECK_SIZE);
}

enum perr address_armor(char *text, size_t text_size, const char *prefix, const uint8_t *bytes,
                        size_t len)
{
	uint8_t all[ARMOR_MAX];
	size_t prefix_len = strlen(prefix);
	const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

	if (len > sizeof all - ADDRESS_CHECK_SIZE || text_size <= prefix_len ||
	    text_size - prefix_len < sodium_base64_encoded_len(len + ADDRESS_CHECK_SIZE, variant))
		return PERR_RANGE;
	memcpy(all, bytes, len);
	check_of(all + len, bytes, len);
	memcpy(text, prefix, prefix_len);
	sodium_bin2base64(text + prefix_len, text_size - prefix_len, all,
	                  len + ADDRESS_CHECK_SIZE, variant);
	sodium_memzero(all, sizeof all);
	return PERR_OK;
}

/* PROTOCOL 9.1: "Blanks and line ends inside are ignored." */
static bool squeeze(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')
			continue;
		if (n + 1 == size)
			return false;
		out[n++] = *text;
	}
	out[n] = '\0';
	return true;
}

enum perr address_unarmor(uint8_t *bytes, size_t *len, const char *prefix, const char *text)
{
	char flat[ARMOR_MAX];
	uint8_t all[ARMOR_MAX], check[ADDRESS_CHECK_SIZE];
	size_t prefix_len = strlen(prefix), room = *len, got = 0;
	enum perr err = PERR_FORMAT;

	*len = 0;
	if (!squeeze(flat, sizeof flat, text))
		goto out;
	err = PERR_UNKNOWN;
	if (strncmp(flat, prefix, prefix_len) != 0)
		goto out;
	err = b64_read(all, sizeof all, &got, flat + prefix_len, strlen(flat + prefix_len),
	               sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	if (err == PERR_OK && (got < ADDRESS_CHECK_SIZE || got - ADDRESS_CHECK_SIZE > room))
		err = PERR_FORMAT;
	if (err != PERR_OK)
		goto out;
	got -= ADDRESS_CHECK_SIZE;
	check_of(check, all, got);
	err = PERR_CORRUPT;
	if (memcmp(check, all + got, sizeof check) != 0)
		goto out;
	memcpy(bytes, all, got);
	*len = got;
	err = PERR_OK;
out:
	sodium_memzero(flat, sizeof flat);
	sodium_memzero(all, sizeof all);
	return err;
}
