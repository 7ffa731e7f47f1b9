/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_record.h"

#include "case_view.h"
#include "cmd_erase.h"

#include <sodium.h>
#include <string.h>

#include "cmd_outbox.h"
#include "term.h"

const struct cli_command cli_record_commands[] = {
	{ "intake fill", "an interview, question by question", cmd_fill_help, cmd_fill },
	{ "intake submit", "check a filled form, seal it, print the case code",
	  cmd_intake_help, cmd_intake },
	{ "amend", "correct answers of an interview that was sealed", cmd_amend_help, cmd_amend },
	{ "drafts", "interviews that are not finished", cmd_drafts_help, cmd_drafts },
	{ "drafts drop", "delete one of them", cmd_drafts_drop_help, cmd_drafts_drop },
	{ "outbox", "what waits here for the servers", cmd_outbox_help, cmd_outbox },
	{ "outbox save", "write it to a file for somebody else to carry", cmd_outbox_save_help,
	  cmd_outbox_save },
	{ "outbox carry", "send what somebody else saved", cmd_outbox_carry_help,
	  cmd_outbox_carry },
	{ "outbox clear", "forget what was saved, when it has arrived", cmd_outbox_clear_help,
	  cmd_outbox_clear },
	{ "cases", "list or search the cases that reached you", cmd_cases_help, cmd_cases },
	{ "show", "read one case", cmd_show_help, cmd_show },
	{ "assign", "give a case to an attorney or interpreter", cmd_assign_help, cmd_assign },
	{ "unassign", "take a case back from somebody", cmd_unassign_help, cmd_unassign },
	{ "reassign", "give somebody's cases to another one", cmd_reassign_help, cmd_reassign },
	{ "accept", "take a case you were asked to take", cmd_accept_help, cmd_accept },
	{ "decline", "give it back to the desk, or do not take it", cmd_decline_help, cmd_decline },
	{ "recuse", "a conflict of interest: never have this case", cmd_recuse_help, cmd_recuse },
	{ "refer", "pass a case on to another desk, with the client's consent", cmd_refer_help,
	  cmd_refer },
	{ "close", "nothing is left to do in a case", cmd_close_help, cmd_close },
	{ "reopen", "there is again", cmd_reopen_help, cmd_reopen },
	{ "note", "a note for everyone who has the case", cmd_note_help, cmd_note },
	{ "erase", "a family withdraws its consent", cmd_erase_help, cmd_erase },
	{ "hold", "a legal hold: keep this copy whatever is ordered", cmd_hold_help, cmd_hold },
	{ "unhold", "end a legal hold", cmd_unhold_help, cmd_unhold },
	{ "attachments", "write a case's photographs to a folder", cmd_attachments_help,
	  cmd_attachments },
	{ "export", "write cases to a folder, for an office's own system", cmd_export_help,
	  cmd_export },
	{ NULL, NULL, NULL, NULL }
};

int cmd_open_reader(struct cli *cli)
{
	int code = cli_open(cli);

	if (code != EXIT_DONE)
		return code;
	if (cli->client->me->state == CLIENT_JOINING)
		return cli_fail(EXIT_REFUSED, "your administrator has not confirmed you yet; tell "
		                "them the four words of `amparo status`, then run `amparo sync`.");
	if (cli->client->staff == NULL)
		return cli_fail(EXIT_REFUSED, "cases are read by attorneys and interpreters; a "
		                "volunteer's device keeps none.  `amparo outbox` shows what waits "
		                "here.");
	return EXIT_DONE;
}

void cmd_print(const char *text, size_t len)
{
	term_print(stdout, text, len, TERM_LINE);
}

void cmd_print_name(struct client *c, const uint8_t key[32])
{
	char name[140];

	client_name_of(c, key, name, sizeof name);
	cmd_print(name, strlen(name));
}

int cmd_refused(enum perr err, const char *why, const char *what)
{
	if (why[0] != '\0')
		return cli_fail(EXIT_REFUSED, "%s: %s.", what, why);
	return cli_fail_err(err, "%s", what);
}

/* ---- which case --------------------------------------------------------------------- */

struct same {
	const char *begins;              /* canonical beginning of a code */
	unsigned n;
};

static enum perr one_same(void *arg, const struct case_summary *s)
{
	struct same *m = arg;
	char code[CASE_CODE_SHOWN + 1], id[2 * STATEMENT_RECORD_SIZE + 1];

	if (strncmp(s->code, m->begins, strlen(m->begins)) != 0 || ++m->n > 20)
		return PERR_OK;
	case_code_show(code, s->code);
	sodium_bin2hex(id, sizeof id, s->record, sizeof s->record);
	fprintf(stderr, "  %s  id:%.8s  ", code, id);
	term_print(stderr, s->title, strlen(s->title), TERM_LINE);
	fputc('\n', stderr);
	return PERR_OK;
}

static int say_several(struct cli *cli, const char *text, unsigned n)
{
	char clean[CASE_CODE_LEN + 1];
	struct same m = { .begins = clean };
	size_t k = 0;

	for (; *text != '\0' && k < CASE_CODE_LEN; text++)
		if (*text != ' ' && *text != '-')
			clean[k++] = *text >= 'a' && *text <= 'z' ? (char)(*text - 32) : *text;
	clean[k] = '\0';
	for (size_t i = 0; i < k; i++)
		clean[i] = clean[i] == 'O' ? '0' : clean[i] == 'I' || clean[i] == 'L' ? '1'
		                                                                     : clean[i];
	cli_fail(EXIT_REFUSED, "%u cases fit; give more of the code, or one of these ids:", n);
	if (case_each(cli->client, one_same, &m, NULL) != PERR_OK)
		fputs("  (the list could not be read)\n", stderr);
	return EXIT_REFUSED;
}

int cmd_find_case(struct cli *cli, const char *text, uint8_t record[STATEMENT_RECORD_SIZE])
{
	unsigned n;
	enum perr err = case_find(cli->client, text, record, &n);

	switch (err) {
	case PERR_OK:
		return EXIT_DONE;
	case PERR_FORMAT:
		return cli_fail(EXIT_REFUSED, "\"%s\" is no case code; a code has ten letters and "
		                "digits, as on the slip, and its first four are enough if only one "
		                "case begins so.", text);
	case PERR_AUTH:
		return cli_fail(EXIT_REFUSED, "\"%s\" is mistyped: at least one character is wrong; "
		                "compare it with the slip.", text);
	case PERR_NOTFOUND:
		return cli_fail(EXIT_REFUSED, "no case \"%s\" has reached this device; `amparo sync` "
		                "fetches what was released, `amparo cases` lists what is here.",
		                text);
	case PERR_EXISTS:
		return say_several(cli, text, n);
	default:
		return cli_fail_err(err, "the cases could not be read");
	}
}

int cmd_open_case(struct cli *cli, const char *text, struct case_file **file)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	int code = cmd_find_case(cli, text, record);
	enum perr err;

	*file = NULL;
	if (code != EXIT_DONE)
		return code;
	err = case_open(cli->client, record, file);
	if (err != PERR_OK)
		return cli_fail_err(err, "the case could not be read");
	if (case_view_may_open(cli->client, &(*file)->s))
		return EXIT_DONE;
	case_close(*file);
	*file = NULL;
	return cli_fail(EXIT_REFUSED, "you recused yourself from this case; this device keeps it for "
	                "the desk only.");
}
