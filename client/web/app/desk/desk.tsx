/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * desk: the attorney's first screen: the list of cases, and beside it (on a phone: instead of
 * it) the case, or the state of the desk.
 *
 * The vault's texts live in this screen's state alone: when it is left or locked, the list's
 * pages are dropped, the search is emptied, and every picture's address is revoked.
 */
import type { JSX } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { call } from '../core';
import { dayText, t, tn } from '../i18n';
import { lockNow } from '../lock';
import { go, onLeave } from '../nav';
import type { CaseRow, LeftCase, RecordId } from '../ops';
import { refresh, syncByHand, useSession } from '../session';
import { Banner, Button, Dialog, Empty, ErrorBanner, Icon, NO_HELP, Page, say, Switch, Waiting } from '../ui';
import { dropAllUrls } from './blobs';
import { ExportDialog } from './exporting';
import { isTyping, lettersAreKeys, setLetters } from './keys';
import { CaseListView, listSentence } from './list';
import { Cases, CHIPS, type Chip } from './model';
import { RecordView } from './record';
import { StatusView } from './status';
import { Backlog, SyncLine } from './syncing';

/* a search begins when the fingers rest */
const SEARCH_MS = 180;

type Side = { what: 'none' } | { what: 'case'; row: CaseRow } | { what: 'status' };

export function Desk(): JSX.Element {
	const { me, sync, sync_error, outbox, kiosk } = useSession();
	const [, redraw] = useState(0);
	const cases = useMemo(() => new Cases(() => redraw((n) => n + 1)), []);
	const [text, setText] = useState('');
	const [side, setSide] = useState<Side>({ what: 'none' });
	const [active, setActive] = useState(0);
	const [focus, setFocus] = useState(0);
	const [stamp, setStamp] = useState(0);
	const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null);
	const [exporting, setExporting] = useState<'case' | 'list' | null>(null);
	const [keys, setKeys] = useState(false);
	const [news, setNews] = useState<string[]>([]);
	const search = useRef<HTMLInputElement>(null);
	const [langs, setLangs] = useState<{ code: string; name: string }[]>([]);
	const today = me?.today ?? 0;
	const running = sync?.running === true;

	/* from the call to the first rows on the screen; printed by the tests */
	useEffect(() => {
		performance.mark('desk:open');
		cases.ask('all', '');
		call('forms', { lang: '' }).then((f) => {
			const all = new Map(f.forms.flatMap((x) => x.langs).map((l) => [l.code, l]));
			setLangs([...all.values()]);
		}, () => undefined);
		return () => {
			cases.end();
			dropAllUrls();
		};
	}, []);
	const first = useRef(true);
	useEffect(() => {
		if (first.current && !cases.asking) {
			first.current = false;
			requestAnimationFrame(() => performance.measure('desk:list', 'desk:open'));
		}
	});

	/* above the list, and said: it stands where nobody looks */
	const told_news = useRef<string[]>([]);
	const tellNews = (lines: string[]): void => {
		told_news.current = lines;
		setNews(lines);
		say(lines.join(' '));
	};

	/* after a sync: the list, what is open, and what has left this device */
	const was_running = useRef(false);
	useEffect(() => {
		if (was_running.current && !running) {
			cases.again();
			setStamp((n) => n + 1);
			void call('cases_left', {}).then(({ left }) => {
				if (left.length > 0)
					tellNews(left.map(leftText));
			}, () => undefined);
		}
		was_running.current = running;
	}, [running]);

	useEffect(() => {
		const timer = window.setTimeout(() => {
			if (text.trim() !== cases.text) {
				setActive(0);
				cases.ask(cases.chip, text.trim());
			}
		}, SEARCH_MS);
		return () => window.clearTimeout(timer);
	}, [text]);
	/* how many were found is said once they are counted */
	const told = useRef(0);
	useEffect(() => {
		if (!cases.asking && cases.turn !== told.current) {
			if (told.current > 0)
				say(listSentence(cases));
			told.current = cases.turn;
		}
	});

	const close = useCallback((): void => {
		setSide({ what: 'none' });
		setFocus((n) => n + 1);
	}, []);
	/* the device's own back button closes the case first */
	useEffect(() => {
		onLeave(side.what === 'none' ? null : () => {
			close();
			return false;
		});
	}, [side.what]);

	const pick = (chip: Chip): void => {
		setActive(0);
		cases.ask(chip, text.trim());
	};
	const open = (r: CaseRow): void => {
		if (r.recused) {
			tellNews([t('desk.recused_closed')]);
			return;
		}
		performance.mark('desk:case');
		if (told_news.current[0] === t('desk.recused_closed'))
			tellNews([]);
		setSide({ what: 'case', row: r });
	};
	const choose = (r: CaseRow): void => {
		/* it would not be exported */
		if (r.recused) {
			tellNews([t('desk.recused_closed')]);
			return;
		}
		setChosen((c) => {
			const to = new Set(c ?? []);
			if (!to.delete(r.record))
				to.add(r.record);
			return to;
		});
	};

	useEffect(() => {
		const press = (e: KeyboardEvent): void => {
			if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog'))
				return;
			if (e.key === 'Escape') {
				if (isTyping(e.target) && e.target === search.current && text !== '')
					setText('');
				else if (side.what !== 'none')
					close();
				else if (chosen)
					setChosen(null);
				else if (e.target === search.current)
					setFocus((n) => n + 1);
			} else if (isTyping(e.target) || !lettersAreKeys()) {
				return;
			} else if (e.key === '/') {
				e.preventDefault();
				setSide((s) => s.what !== 'none' && !isWide() ? { what: 'none' } : s);
				requestAnimationFrame(() => search.current?.focus());
			} else if ((e.key === 'j' || e.key === 'k') && side.what === 'case') {
				/* of several rows of one case the one that was opened */
				const at = cases.row(active)?.record === side.row.record ? active : cases.indexOf(side.row.record);
				const next = at < 0 ? undefined : cases.row(at + (e.key === 'j' ? 1 : -1));
				if (next && !next.recused) {
					setActive(at + (e.key === 'j' ? 1 : -1));
					setSide({ what: 'case', row: next });
				}
			} else if (e.key === '?') {
				setKeys(true);
			}
		};
		document.addEventListener('keydown', press);
		return () => document.removeEventListener('keydown', press);
	}, [side, text, chosen, active]);

	if (!me)
		return <Page title="Amparo"><Waiting /></Page>;
	const shown = side.what === 'case' ? side.row.record : null;
	const changed = (): void => {
		cases.again();
		void refresh().catch(() => undefined);
	};

	return (
		<Page wide title={side.what === 'case' ? side.row.code : side.what === 'status' ? t('status.title') : t('desk.cases')}
			onBack={side.what === 'none' ? undefined : close}
			tools={
				<>
					<Button kind="quiet" class="only-list" icon="sync" label={t('desk.sync')} busy={running} onClick={syncByHand}>{t('desk.sync')}</Button>
					<Button kind="quiet" class="only-list" icon="settings" label={t('settings.title')} onClick={() => go('settings', {})}>{t('settings.title')}</Button>
					{!kiosk && <Button kind="quiet" icon="lock" label={t('desk.lock')} onClick={() => lockNow('asked')}>{t('desk.lock')}</Button>}
				</>
			}
			under={<SyncLine />}>
			<div class={`desk ${side.what === 'none' ? '' : 'beside'}`}>
				<section class="desk-list" aria-label={t('desk.cases')}>
					<div class="desk-head">
						<ErrorBanner error={sync_error} op="sync" />
						<Backlog quiet={side.what !== 'none'} />
						{news.length > 0 && (
							<Banner tone="info" title={news[0]}
								action={<Button kind="quiet" onClick={() => tellNews([])}>{t('common.close')}</Button>}>
								{news.slice(1).map((n) => <p key={n}>{n}</p>)}
							</Banner>
						)}
						<div class="desk-search" role="search">
							<Icon name="search" />
							<input {...NO_HELP as object} type="search" class="input" ref={search} value={text}
								aria-label={t('desk.search')} placeholder={t('desk.search')}
								onInput={(e) => setText(e.currentTarget.value)}
								onKeyDown={(e) => {
									if (e.key === 'ArrowDown' || e.key === 'Enter') {
										e.preventDefault();
										setFocus((n) => n + 1);
									}
								}} />
							{text !== '' && <Button kind="quiet" icon="close" label={t('desk.search_clear')} onClick={() => setText('')} />}
						</div>
						<div class="chips" role="group" aria-label={t('desk.filter')}>
							{CHIPS.map((c) => (
								<button key={c} type="button" class="chip" aria-pressed={cases.chip === c} onClick={() => pick(c)}>{t(`chip.${c}`)}</button>
							))}
						</div>
						<div class="line spread desk-count">
							<p>{cases.asking ? t('common.wait') : chosen ? tn('desk.n_chosen', chosen.size) : listSentence(cases)}</p>
							<div class="line desk-tools">
								{chosen
									? (
										<>
											<Button kind="quiet" icon="save" disabled={chosen.size === 0} onClick={() => setExporting('list')}>{t('export.button')}</Button>
											<Button kind="quiet" icon="close" label={t('desk.choose_end')} onClick={() => setChosen(null)} />
										</>
									)
									: (
										<>
											<Button kind="quiet" icon="check" label={t('desk.choose')} disabled={cases.total === 0} onClick={() => setChosen(new Set())} />
											<Button kind="quiet" icon="save" label={t('export.title')} disabled={cases.total === 0} onClick={() => setExporting('list')} />
										</>
									)}
								<Button kind="quiet" icon="info" label={t('status.title')} pressed={side.what === 'status'} onClick={() => setSide({ what: 'status' })} />
							</div>
						</div>
						{cases.error !== null && <ErrorBanner error={cases.error} op="cases" />}
					</div>
					{!cases.asking && cases.total === 0 && cases.error === null && (
						<Empty icon="search" title={t(cases.text !== '' || cases.chip !== 'all' ? 'desk.none_fits' : 'desk.none')}>
							{cases.text === '' && cases.chip === 'all' && <Button icon="sync" onClick={syncByHand} busy={running}>{t('desk.sync')}</Button>}
						</Empty>
					)}
					<CaseListView cases={cases} today={today} shown={shown} active={active} onActive={setActive}
						onOpen={open} chosen={chosen} onChoose={choose} focus={focus} />
					<div class="desk-foot">
						<div class="line spread">
							<Button kind="quiet" icon="plus" onClick={() => go('home', {})}>{t('desk.intake')}</Button>
							{(outbox?.waiting ?? 0) > 0 && <span class="small quiet-text">{tn('desk.unsent', outbox?.waiting ?? 0)}</span>}
							<Button kind="quiet" class="keys-button" onClick={() => setKeys(true)}>{t('keys.title')}</Button>
						</div>
					</div>
				</section>
				<section class="desk-side" aria-label={t('desk.side')}>
					{side.what === 'none' && <Empty icon="file" title={t('desk.none_open')} />}
					{side.what === 'status' && (
						<StatusView me={me} stamp={stamp} hidden={cases.n_hidden} onChip={(c) => {
							pick(c);
							if (!isWide())
								close();
						}} />
					)}
					{side.what === 'case' && (
						<RecordView key={side.row.record} record={side.row.record} stamp={stamp} today={today} onClose={close}
							onGone={(sentence) => {
								/* a sync says why it went: that is not written over */
								if (!told_news.current.some((n) => n.includes(side.row.code)))
									tellNews([sentence]);
								cases.again();
								close();
							}} onChanged={changed} onExport={() => setExporting('case')} />
					)}
				</section>
			</div>
			{exporting && (
				<ExportDialog today={today} langs={langs} onClose={() => setExporting(null)} scope={{
					one: side.what === 'case' && exporting === 'case' ? { record: side.row.record, code: side.row.code } : null,
					chosen: exporting === 'list' ? [...chosen ?? []] as RecordId[] : [],
					total: cases.n_all,
				}} />
			)}
			{keys && <KeysDialog onClose={() => setKeys(false)} />}
		</Page>
	);
}

/* as in desk.css: list and case beside each other */
function isWide(): boolean {
	return window.matchMedia('(min-width: 60rem)').matches;
}

function leftText(l: LeftCase): string {
	return t(l.late ? 'left.late' : 'left.taken', { code: l.code, day: dayText(l.day) });
}

function KeysDialog(p: { onClose: () => void }): JSX.Element {
	const [on, setOn] = useState(lettersAreKeys());
	const lines: [string, string][] = [
		['j  k  ↓  ↑', t('keys.move')], ['Enter', t('keys.open')], ['Esc', t('keys.back')],
		['/', t('keys.search')], ['x', t('keys.choose')], ['?', t('keys.help')],
	];
	return (
		<Dialog title={t('keys.title')} onClose={p.onClose} actions={<Button kind="primary" onClick={p.onClose}>{t('common.close')}</Button>}>
			<dl class="keys">
				{lines.map(([k, what]) => <div key={k}><dt>{k.split('  ').map((x) => <kbd key={x}>{x}</kbd>)}</dt><dd>{what}</dd></div>)}
			</dl>
			<Switch label={t('keys.letters')} hint={t('keys.letters_hint')} on={on} onChange={(v) => {
				setLetters(v);
				setOn(v);
			}} />
		</Dialog>
	);
}
