/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_uptodate: what a sync costs when nothing is new: round trips and bytes, by the real
 * client over a real socket.
 */
#include <stdlib.h>

#include "bench.h"
#include "channel.h"
#include "team.h"

int main(void)
{
	/* the least there is: a handshake, hello and its answer, a bye each way */
	const double least = 2 * NOISE_MSG_SIZE + 4 * FRAME_SIZE;
	struct bench_series trips = { .n = 0 }, bytes = { .n = 0 }, ms = { .n = 0 };
	unsigned runs = bench_number("BENCH_RUNS", 9), i;
	struct team *t = team_new(1, false);
	struct member *who[] = { &t->holders[0], &t->volunteers[0] };
	size_t k;

	for (k = 0; k < 2; k++)
		team_sync(who[k]);
	for (i = 0; i < runs; i++) {
		for (k = 0; k < 2; k++) {
			const struct sync_server *s = &who[k]->last.servers[0];
			double at = bench_now();

			team_sync(who[k]);
			bench_add(&ms, (bench_now() - at) * 1e3);
			if (!s->complete)
				bench_broke("the sync was not complete");
			bench_add(&trips, s->round_trips);
			bench_add(&bytes, (double)(s->bytes_in + s->bytes_out));
		}
	}
	bench_figure("uptodate_round_trips", bench_median(&trips), "round trips", 3,
	             "TCP, handshake, hello", BENCH_VALUE_MAX, 3);
	bench_figure("uptodate_bytes", bench_median(&bytes), "bytes", least,
	             "handshake, hello, its answer, a bye each way", BENCH_RATIO_MAX, 1);
	bench_note("holder and volunteer in turn; %.1f ms a sync over loopback", bench_median(&ms));
	team_free(t);
	return 0;
}
