/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * status: what an attorney should know of the desk: alarms first, then what waits for
 * somebody, then whether everything is where it should be.
 */
import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../core';
import { count, dayText, t, tn } from '../i18n';
import type { DeskStatus, Me, Who } from '../ops';
import { Banner, Button, Card, Icon, Waiting, Words } from '../ui';
import { CompareDialog } from './assigning';
import type { Chip } from './model';
import { deskFault, nameOf } from './words';

export function StatusView(p: { me: Me; stamp: number; hidden: number; onChip: (c: Chip) => void }): JSX.Element {
	const [s, setStatus] = useState<DeskStatus | null>(null);
	const [fault, setFault] = useState<string | null>(null);
	const [compare, setCompare] = useState<Who | null>(null);
	const head = useRef<HTMLHeadingElement>(null);
	const load = useCallback(async (): Promise<void> => {
		try {
			setStatus(await call('desk_status', {}));
			setFault(null);
		} catch (e) {
			if ((e as { code?: unknown }).code !== 'locked')
				setFault(deskFault(e, 'desk_status'));
		}
	}, []);
	useEffect(() => {
		void load();
	}, [load, p.stamp]);
	useEffect(() => head.current?.focus({ preventScroll: true }), []);

	return (
		<div class="record status">
			<h2 class="record-title" tabIndex={-1} ref={head}>{t('status.title')}</h2>
			{fault && <Banner tone="bad" title={fault} />}
			{!s && !fault && <Waiting />}
			{s && (
				<>
					<Alarms s={s} onSeen={load} />
					<ToDo s={s} hidden={p.hidden} onChip={p.onChip} />
					{s.to_compare.length > 0 && (
						<Card title={t('status.compare')} icon="phone">
							<p>{t('status.compare_text')}</p>
							<ul class="plain-list">
								{s.to_compare.map((w) => (
									<li key={w.key} class="line spread"><span>{w.name}</span>
										<Button kind="quiet" label={t('compare.title', { who: w.name })} onClick={() => setCompare(w)}>{t('status.compare_go')}</Button></li>
								))}
							</ul>
						</Card>
					)}
					<Custody s={s} />
					<Keys s={s} me={p.me} />
				</>
			)}
			{compare && (
				<CompareDialog who={compare} onClose={() => setCompare(null)} onSame={async () => {
					setCompare(null);
					await load();
				}} />
			)}
		</div>
	);
}

function Alarms(p: { s: DeskStatus; onSeen: () => Promise<void> }): JSX.Element {
	const { s } = p;
	return (
		<>
			{s.revoked > 0 && <Banner tone="bad" title={t('status.revoked', { day: dayText(s.revoked) })} />}
			{s.alarms.length > 0 && (
				<Banner tone="bad" title={t('status.alarm')}
					action={<Button onClick={async () => {
						await call('alarms_seen', {});
						await p.onSeen();
					}}>{t('status.alarm_seen')}</Button>}>
					<p>{t('status.alarm_text')}</p>
					<ul class="plain-list">
						{s.alarms.map((a, i) => <li key={i}>{t(`alarm.${a.kind}`, { day: dayText(a.day) })}</li>)}
					</ul>
				</Banner>
			)}
			{s.erasures.many.map((m) => (
				<Banner key={m.who.key} tone="bad" title={t('status.many', { who: nameOf(m.who), n: count(m.n), day: dayText(m.day) })}>
					{t('status.many_text')}
				</Banner>
			))}
			{s.gaps.map((g) => (
				<Banner key={g.who.key} tone="warn" title={nameOf(g.who)}>
					{g.missing > 0 && <p>{t(g.searched ? 'gap.searched' : 'gap.missing', { n: count(g.missing), of: count(g.highest), day: dayText(g.since) })}</p>}
					{g.twice > 0 && <p>{tn('gap.twice', g.twice)}</p>}
					{g.restored > 0 && <p>{t('gap.restored', { day: dayText(g.restored) })}</p>}
				</Banner>
			))}
		</>
	);
}

/* what waits for somebody; a line that has a list leads to it */
function ToDo(p: { s: DeskStatus; hidden: number; onChip: (c: Chip) => void }): JSX.Element {
	const { s } = p;
	const c = s.cases;
	const lines: { text: string; bad: boolean; chip: Chip | null }[] = [];
	const add = (n: number, text: string, bad: boolean, chip: Chip | null): void => {
		if (n > 0)
			lines.push({ text, bad, chip });
	};
	add(c.urgent_unassigned, tn('todo.urgent_unassigned', c.urgent_unassigned), true, 'urgent');
	add(c.overdue, tn('todo.overdue', c.overdue), true, 'due');
	add(c.due, tn('todo.due', c.due), false, 'due');
	add(c.mine, tn('todo.mine', c.mine), true, 'mine');
	add(c.silent, tn('todo.silent', c.silent), true, 'unassigned');
	add(c.waiting, tn('todo.waiting', c.waiting), false, 'unassigned');
	add(c.conflicts, tn('todo.conflicts', c.conflicts), false, null);
	add(c.alone, tn('todo.alone', c.alone), false, null);
	add(s.erasures.asked, tn('todo.erase_asked', s.erasures.asked), true, null);
	add(s.erasures.resting, tn('todo.erase_resting', s.erasures.resting, { day: dayText(s.erasures.next) }), false, null);
	add(s.erasures.waiting, tn('todo.erase_waiting', s.erasures.waiting), false, null);
	add(s.charters.to_sign.length, t('todo.charter', { desks: s.charters.to_sign.join(', ') }), true, null);
	add(s.outbox, tn('todo.outbox', s.outbox), false, null);
	add(p.hidden, tn('desk.hidden', p.hidden), false, null);
	return (
		<Card title={t('status.todo')} icon="clock">
			<p class="quiet-text">{tn('status.open', c.open)} · {tn('status.urgent', c.urgent)}</p>
			{lines.length === 0 ? <p>{t('status.nothing')}</p> : (
				<ul class="todo">
					{lines.map((l) => (
						<li key={l.text} class={l.bad ? 'bad' : ''}>
							<Icon name={l.bad ? 'warning' : 'info'} size={20} />
							<span class="todo-text">{l.text}</span>
							{l.chip && <Button kind="quiet" label={t('todo.show_label', { what: l.text })} onClick={() => p.onChip(l.chip ?? 'all')}>{t('todo.show')}</Button>}
						</li>
					))}
				</ul>
			)}
		</Card>
	);
}

function Custody(p: { s: DeskStatus }): JSX.Element | null {
	if (p.s.custody.length === 0)
		return null;
	return (
		<Card title={t('status.custody')} icon="people">
			{p.s.backup.sole_holder !== '' && <Banner tone="warn" title={t('custody.sole', { desk: p.s.backup.sole_holder })} />}
			{p.s.custody.map((c) => (
				<div key={c.desk} class="stack close">
					<h3>{c.desk_name}</h3>
					{c.alone
						? <p>{t('custody.alone', { n: count(c.in_one) })}</p>
						: <p>{t('custody.in_one', { n: count(c.in_one), of: count(c.records) })}</p>}
					{!c.alone && c.in_one_old > 0 && <Banner tone="warn" title={t('custody.old', { n: count(c.in_one_old), days: count(c.half_days) })} />}
					<ul class="plain-list">
						{c.others.map((o) => (
							<li key={o.who.key}>
								{nameOf(o.who)}: {o.said === 0 ? t('custody.never') : t(o.fresh ? 'custody.heard' : 'custody.long_ago', { day: dayText(o.said) })}
							</li>
						))}
					</ul>
				</div>
			))}
		</Card>
	);
}

function Keys(p: { s: DeskStatus; me: Me }): JSX.Element {
	const k = p.s.keys;
	return (
		<Card title={t('status.keys')} icon="lock">
			{k && (
				<p>{k.number === 0 ? t('keys.none') : t(k.posted ? 'keys.posted' : 'keys.not_everywhere', { day: dayText(k.last_day) })}</p>
			)}
			<p>{t('status.roster', { n: count(p.s.roster.version) })}</p>
			{p.s.roster.past && <Banner tone="warn" title={t('status.roster_past')} />}
			{p.me.key_words.length > 0 && (
				<>
					<p>{t('status.my_words')}</p>
					<Words words={p.me.key_words} label={t('compare.words')} />
				</>
			)}
		</Card>
	);
}
