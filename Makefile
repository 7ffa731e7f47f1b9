# SPDX-License-Identifier: AGPL-3.0-or-later
# One Makefile.  CC, CFLAGS and LDFLAGS belong to whoever builds; ours have other names.
#   B    the build folder (sanitizer builds use their own)     SAN  -fsanitize list, empty for none
B      ?= build
SAN    ?=
PREFIX ?= /usr/local
VERSION = 0.1.0

CFLAGS  ?= -O2 -g
PKGS     = libsodium msgpack lmdb libuv libxml-2.0 libqrencode inih libseccomp
PKG_CF  := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LD  := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lzxcvbn -lm -lpthread

WARN     = -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
           -Wwrite-strings -Wvla -Wformat=2 -Wno-unused-parameter
ifeq ($(CI),true)
WARN    += -Werror
endif
ifeq ($(SAN),)
HARDEN   = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -fcf-protection -fstack-clash-protection
HARDENLD = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
else
HARDEN   = -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
HARDENLD = -fsanitize=$(SAN)
endif
OURS     = -std=c11 -D_GNU_SOURCE -DAMPARO_VERSION='"$(VERSION)"' $(WARN) $(HARDEN) \
           -Iprotocol -Iserver -Iclient -Iclient/forms -Iclient/cli $(PKG_CF) -MMD -MP

# ---- sources -------------------------------------------------------------------------------
PROTOCOL_SRC = protocol/perr.c \
               protocol/rng.c \
               protocol/mp.c \
               protocol/hpke.c
SERVER_SRC   =
CLIENT_SRC   =
FORMS_SRC    =
CLI_SRC      =
UNIT_TESTS   = \
               test_hpke
FUZZERS      =

obj = $(patsubst %.c,$(B)/%.o,$(1))

.PHONY: all build
all: build
build: $(B)/libamparo-protocol.a

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(OURS) $(CFLAGS) -c $< -o $@

$(B)/libamparo-protocol.a: $(call obj,$(PROTOCOL_SRC))
	@rm -f $@
	$(AR) rcs $@ $^

clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
