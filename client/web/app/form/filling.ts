/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * filling: one interview between the screen and the core.
 *
 * The screen says what was typed or chosen; this sees to it that it is stored, in order, one
 * call at a time.  A choice is stored at once.  Typing is stored when it rests, at most TYPING
 * milliseconds after the first letter that is not stored, and at once when somebody goes on,
 * leaves the field, or the page is hidden or closed.  `sign` says how far that is: it says
 * "saved" only after the core has said so, and the core says so only when it is on disk.
 *
 * What the form refuses stays on the screen with the reason, and is not stored.  While
 * somebody is still typing, the reason is not shown yet: half a number is wrong by nature.
 */
import { call } from '../core';
import { type At, type Interview, type Ops, tzNow } from '../ops';

export const TYPING = 400;

/* fresh: nothing has been stored and nothing waits */
export type Sign = 'fresh' | 'unsaved' | 'saving' | 'saved' | 'failed';

interface Typed { path: string; text: string }

export class Filling {
	at: Interview;
	sign: Sign;
	/* what was typed at the current question and is not stored; null: what is stored stands */
	typed: string | null = null;
	/* why the form does not take it; "" while none is to be shown */
	refusal = '';
	/* what the core could not do: the screen shows it */
	error: unknown = null;
	error_op = '';
	/* moves from question to question, for what is keyed by it */
	moves = 0;
	/*
	 * What a widget has that is no answer yet: a drawing that was not kept, half of a date.
	 * Asked before anybody goes on or the page is hidden; it says why it cannot be left so, or "".
	 */
	hold: (() => Promise<string>) | null = null;
	private moving = false;
	private queue: Promise<unknown> = Promise.resolve();
	private timer = 0;
	private over = false;

	constructor(at: Interview, private readonly draw: () => void) {
		this.at = at;
		this.sign = at.draft === 0 ? 'fresh' : 'saved';
		document.addEventListener('visibilitychange', this.hidden);
		window.addEventListener('pagehide', this.hidden);
	}

	static async begin(form: string, lang: string, paper: boolean, draw: () => void): Promise<Filling> {
		return new Filling(await call('fill_begin', { form, lang, paper, tz: tzNow() }), draw);
	}

	static async resume(draft: number, draw: () => void): Promise<Filling> {
		return new Filling(await call('fill_resume', { draft, tz: tzNow() }), draw);
	}

	/* The screen is left: what waits is stored, then nothing of it stays in the core. */
	async end(): Promise<void> {
		document.removeEventListener('visibilitychange', this.hidden);
		window.removeEventListener('pagehide', this.hidden);
		await this.hold?.().catch(() => '');
		await this.flush().catch(() => false);
		this.over = true;
		window.clearTimeout(this.timer);
		await this.one(() => call('fill_close', {})).catch(() => undefined);
	}

	/* It was sealed or erased: there is nothing to store or close any more. */
	forget(): void {
		document.removeEventListener('visibilitychange', this.hidden);
		window.removeEventListener('pagehide', this.hidden);
		window.clearTimeout(this.timer);
		this.over = true;
	}

	/* Typed so far. */
	type(text: string): void {
		this.typed = text;
		this.refusal = '';
		this.sign = 'unsaved';
		if (this.timer === 0)
			this.timer = window.setTimeout(() => void this.store(false), TYPING);
		this.draw();
	}

	/* Chosen, or typed to the end. */
	async put(text: string): Promise<boolean> {
		this.typed = text;
		this.refusal = '';
		this.sign = 'unsaved';
		return this.store(true);
	}

	/* Somebody goes on, or leaves: true if nothing is left behind. */
	async ready(): Promise<boolean> {
		const why = await this.hold?.() ?? '';
		if (why === '')
			return this.flush();
		this.refusal = why;
		this.draw();
		return false;
	}

	/* The field is left, or the page: true if nothing is left to store. */
	async flush(): Promise<boolean> {
		return this.typed === null ? true : this.store(true);
	}

	/* What was typed and refused is given up: the stored answer stands. */
	dropTyped(): void {
		window.clearTimeout(this.timer);
		this.timer = 0;
		this.typed = null;
		this.hold = null;
		this.refusal = '';
		this.sign = this.at.draft === 0 ? 'fresh' : 'saved';
		this.moves++;
		this.draw();
	}

	/* Something that changes where the interview stands or what it is; false: it does not. */
	async move(op: string, fn: () => Promise<At | Interview>): Promise<boolean> {
		if (this.moving || this.over)
			return false;
		this.moving = true;
		try {
			if (!await this.ready())
				return false;
			this.error = null;
			this.take(await this.one(fn));
			this.moves++;
			return true;
		} catch (e) {
			this.failed(op, e);
			return false;
		} finally {
			this.moving = false;
			this.draw();
		}
	}

	next(): Promise<boolean> {
		const step = this.at.step;
		const text = this.typed;
		/* the last answer and the step in one call, and one write to the disk */
		if (text !== null && this.hold === null && step.kind === 'question')
			return this.answerAndGo(step.path, text);
		return this.move('fill_move', () => call('fill_next', {}));
	}

	back(): Promise<boolean> {
		return this.move('fill_move', () => call('fill_back', {}));
	}

	/* A file becomes the answer. */
	attach(name: string, bytes: Uint8Array, path: string): Promise<Ops['fill_attach']['result']> {
		this.sign = 'saving';
		this.draw();
		return this.one(async () => {
			try {
				const r = await call('fill_attach', { path, name, bytes });
				this.take(r);
				if (r.paper)
					this.at = { ...this.at, paper: r.paper };
				this.sign = 'saved';
				return r;
			} catch (e) {
				this.sign = this.at.draft === 0 ? 'fresh' : 'saved';
				throw e;
			} finally {
				this.draw();
			}
		});
	}

	/* Anything else that is asked of the core meanwhile, in its turn. */
	ask<T>(fn: () => Promise<T>): Promise<T> {
		return this.one(fn);
	}

	/* The interview as it is after a call that tells only a part. */
	take(at: At | Interview): void {
		this.at = { ...this.at, ...at };
	}

	private async answerAndGo(path: string, text: string): Promise<boolean> {
		if (this.moving || this.over)
			return false;
		this.moving = true;
		window.clearTimeout(this.timer);
		this.timer = 0;
		this.sign = 'saving';
		try {
			this.take(await this.one(() => call('fill_answer', { path, text, go: true })));
			this.typed = null;
			this.refusal = '';
			this.error = null;
			this.sign = 'saved';
			this.moves++;
			return true;
		} catch (e) {
			this.refuse(e, true);
			return false;
		} finally {
			this.moving = false;
			this.draw();
		}
	}

	private async store(aloud: boolean): Promise<boolean> {
		window.clearTimeout(this.timer);
		this.timer = 0;
		if (this.over)
			return false;
		const path = this.at.step.path;
		return this.one(async () => {
			/* what was typed while another call was under way is stored with it */
			const text = this.typed;
			if (text === null || this.at.step.path !== path)
				return true;
			if (this.same({ path, text })) {
				this.typed = null;
				this.sign = this.at.draft === 0 ? 'fresh' : 'saved';
				this.draw();
				return true;
			}
			this.sign = 'saving';
			this.draw();
			try {
				this.take(await call('fill_answer', { path, text, go: false }));
				this.error = null;
				/* more may have been typed meanwhile: its own timer runs */
				if (this.typed === text) {
					this.typed = null;
					this.refusal = '';
					this.sign = 'saved';
				} else {
					this.sign = 'unsaved';
				}
				this.draw();
				return true;
			} catch (e) {
				this.refuse(e, aloud && this.typed === text);
				this.draw();
				return false;
			}
		});
	}

	private same(t: Typed): boolean {
		return t.text === this.at.step.value;
	}

	private refuse(e: unknown, aloud: boolean): void {
		const { code, why } = e as { code?: string; why?: string };
		this.sign = 'unsaved';
		if (code === 'range') {
			if (aloud)
				this.refusal = why || '?';
			return;
		}
		this.failed('fill_answer', e);
	}

	private failed(op: string, e: unknown): void {
		/* the first or the last one: nothing to say */
		if (op === 'fill_move' && (e as { code?: string }).code === 'notfound')
			return;
		this.error = e;
		this.error_op = op;
		if (op === 'fill_answer')
			this.sign = 'failed';
	}

	private one<T>(fn: () => Promise<T>): Promise<T> {
		const done = this.queue.then(fn, fn);
		this.queue = done.catch(() => undefined);
		return done;
	}

	private readonly hidden = (): void => {
		if (document.visibilityState === 'hidden' || this.typed !== null)
			/* a drawing is kept; half of a date stays where it is */
			void Promise.resolve(this.hold?.()).then(() => this.flush()).catch(() => false);
	};
}
