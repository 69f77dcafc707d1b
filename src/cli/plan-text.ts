/** A plan in words, for a terminal and for a pull request. Pure. */
import { assertNever } from '../base/result.ts';
import { short } from '../model/ids.ts';
import type { Action, ShownPlan as AnsweredPlan } from '../model/plan.ts';
import { columns, paint, plain } from './paint.ts';

export type ShownPlan = AnsweredPlan & { readonly diagnostics?: readonly string[] };

export function planText(plan: ShownPlan, target: { readonly color: boolean }): string {
  const { bold, dim, yellow } = paint(target);
  const lines = (plan.diagnostics ?? []).map((line) => yellow(line));
  if (plan.actions.length === 0) lines.push(`nothing to do: ${short(plan.commit) || 'intent'} is as wanted`);
  else {
    lines.push(bold(`plan for ${short(plan.commit) || 'intent'}, in this order:`));
    const rows = plan.actions.map((action, i) => [
      `  ${i + 1}.`,
      action.do,
      action.unit,
      effect(action),
      dim(plain(reason(action))),
    ]);
    lines.push(columns(rows));
  }
  if (plan.blocked.length > 0) {
    lines.push(
      bold('left alone for now:'),
      columns(plan.blocked.map((one) => ['  -', one.unit, yellow(blockedText(one))])),
    );
  }
  lines.push(countsText(plan));
  return `${lines.join('\n')}\n`;
}

/** Ready to be posted on a pull request. */
export function planMarkdown(plan: ShownPlan): string {
  const lines = [
    `### Plan for \`${short(plan.commit) || 'intent'}\``,
    '',
    `${sentence(countsText(plan))}.`,
    '',
  ];
  if (plan.actions.length > 0) {
    lines.push('| # | Action | Unit | Change | Because |', '|---|---|---|---|---|');
    plan.actions.forEach((action, i) =>
      lines.push(
        `| ${i + 1} | **${action.do}** | \`${action.unit}\` | ${cell(effect(action))} | ${cell(reason(action))} |`,
      ),
    );
    lines.push('');
  }
  if (plan.blocked.length > 0) {
    lines.push(
      'Left alone for now:',
      '',
      ...plan.blocked.map((one) => `- \`${one.unit}\`: ${cell(blockedText(one))}`),
      '',
    );
  }
  if (plan.unchanged.length > 0) {
    lines.push(`<details><summary>${plan.unchanged.length} unchanged</summary>`, '');
    lines.push(plan.unchanged.map((unit) => `\`${unit}\``).join(', '), '', '</details>', '');
  }
  const diagnostics = plan.diagnostics ?? [];
  if (diagnostics.length > 0)
    lines.push('```text', ...diagnostics.map((line) => line.replaceAll('```', "'''")), '```', '');
  return lines.join('\n');
}

function countsText({ counts }: ShownPlan): string {
  return `${counts.start} to start, ${counts.swap} to swap, ${counts.stop} to stop, ${counts.unchanged} unchanged`;
}

function effect(action: Action): string {
  switch (action.do) {
    case 'start':
      return `at ${short(action.to)}`;
    case 'swap':
      return `${short(action.from)} -> ${short(action.to)}${action.via === 'new' ? '' : action.via === 'warm' ? ' (kept warm)' : ' (kept slot)'}`;
    case 'restart':
      return `in ${action.slot}`;
    case 'prune':
      return action.instances.join(', ');
    case 'stop':
    case 'cancel':
      return '';
    default:
      return assertNever(action);
  }
}

function reason(action: Action): string {
  return action.after.length === 0 ? action.because : `${action.because} (after ${action.after.join(', ')})`;
}

function blockedText(one: ShownPlan['blocked'][number]): string {
  return plain(
    one.until === null ? `${one.reason} [${one.code}]` : `${one.reason} [${one.code}], until ${one.until}`,
  );
}

function cell(text: string): string {
  return plain(text).replaceAll('|', '\\|').replaceAll('<', '&lt;') || ' ';
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
