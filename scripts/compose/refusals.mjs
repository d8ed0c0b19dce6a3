// @ts-check

/**
 * The answer to an attempt that is to be refused.
 * @typedef {{ who: string, action: string, object: string, refused: boolean, answer: string }} Answer
 */

/**
 * Lists what was refused to whom; the rest are faults.
 * @param {string} where
 * @param {Answer[]} answers
 * @param {import('./run-fleet-test.mjs').Report} report
 */
export function reportRefusals(where, answers, { print, check }) {
  /** By who, and by action. @type {Map<string, Map<string, string[]>>} */
  const refusals = new Map()
  for (const { who, action, object, refused, answer } of answers) {
    check(refused, `${where}, ${who}: ${action} ${object}: expected to be refused, found: ${answer}`)
    if (!refused) continue
    const actions = refusals.get(who) ?? new Map()
    refusals.set(who, actions.set(action, [...(actions.get(action) ?? []), object]))
  }
  print(`${where}: ${answers.filter(({ refused }) => refused).length} of ${answers.length} attempts refused`)
  for (const [who, actions] of refusals) {
    print(`  ${who}`)
    for (const [action, objects] of actions) print(`    ${action} ${objects.join(', ')}`)
  }
}
