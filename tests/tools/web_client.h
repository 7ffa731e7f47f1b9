/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * web_client: the test client as a browser comes: a request for a WebSocket, then each frame of
 * the channel in one masked binary message (wslay's client side).  After web_shake all other
 * calls of client.h work as over TCP.  Also single frames, right or wrong, for tests that
 * attack.
 */
#ifndef AMPARO_TEST_WEB_CLIENT_H
#define AMPARO_TEST_WEB_CLIENT_H

#include "client.h"

#define WEB_REQUEST_MAX 16384

/* a whole request; origin NULL: none.  more: further header lines with their ends, may be "" */
size_t web_request(char out[WEB_REQUEST_MAX], const uint8_t first[NOISE_MSG_SIZE],
                   const char *origin, const char *more);
/* the handshake on a dialled connection, as client_shake */
bool web_shake(struct client *c, const uint8_t server_pk[32], const uint8_t access[32],
               const char *origin);
/* after client_close or client_bye: gives memory back; harmless if it never was shaken */
void web_forget(struct client *c);

/* one frame as it is said: fin, rsv and opcode in the first byte; sent at once */
bool web_send(struct client *c, uint8_t first_byte, bool mask, const uint8_t *bytes, size_t len);
/* the next frame that is no message: its opcode, and payload (125 bytes at most); 0: the end */
uint8_t web_control(struct client *c, uint8_t *bytes, size_t *len);

#endif
