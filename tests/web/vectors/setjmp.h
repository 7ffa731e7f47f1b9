/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tests include it for cmocka; there is none for WebAssembly, and nothing here jumps. */
