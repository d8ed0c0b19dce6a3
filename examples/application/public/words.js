// @ts-check

/** @import { ConversationState } from '@mono/realtime/browser' */
/** @import { Outgoing } from './outgoing-state.js' */
/** @import { Report, Outcome } from './types.js' */

/** @param {ConversationState} state */
export const describeConversation = (state) => (state === 'catching-up' ? 'catching up' : state)

/** @param {Pick<Outgoing, 'state' | 'reason'>} message */
export function describeOutgoing({ state, reason }) {
  switch (state) {
    case 'queued':
      return 'waits for the message before'
    case 'sending':
      return 'sending'
    case 'unknown':
      return `${reason || 'no answer yet'}, sending again; it arrives once`
    case 'not-accepted':
      return `not accepted: ${reason}`
    case 'waiting':
      return 'accepted, waiting for the broker'
    case 'sent':
      return 'accepted, being stored'
    case 'refused':
      return 'accepted, but the broker cannot take it as it is'
  }
}

const outcomeWords = new Map([
  ['sent', 'sent to'],
  ['failed', 'failed for'],
  ['retry', 'will be retried for'],
  ['sending', 'being sent to'],
  ['unknown', 'sent, but unconfirmed, to'],
])

/**
 * @param {number} number
 * @param {string} one
 * @param {string} several
 */
export const count = (number, one, several) => `${number} ${number === 1 ? one : several}`

/** @param {Outcome} outcome @param {readonly [string, string]} noun */
function describeOutcome({ outcome, count: number, reason }, [one, several]) {
  const words = `${outcomeWords.get(outcome) ?? outcome} ${count(number, one, several)}`
  return reason ? `${words}: ${reason}` : words
}

const device = /** @type {const} */ (['device', 'devices'])
const address = /** @type {const} */ (['address', 'addresses'])

/** Says what the push channel did, a line for each thing that is known. @param {Report['push']} push */
export function describePush({ state, outcomes, devices, disabled, withoutDevice }) {
  const reached = devices - disabled
  const isNobodyReached = state === 'sent' && reached === 0 && !outcomes?.length
  return [
    ...(isNobodyReached && withoutDevice > 0 ? [] : describeChannel(state, outcomes, device, reached)),
    ...(withoutDevice > 0
      ? [`${count(withoutDevice, 'person has', 'people have')} no device that can be reached`]
      : []),
  ]
}

/** Says the same of mail. @param {Report['email']} email */
export function describeEmail(email) {
  if (!email) return ['not asked for']
  return describeChannel(email.state, email.outcomes, address, email.addresses)
}

/**
 * @param {Report['push']['state']} state
 * @param {Outcome[] | null | undefined} outcomes
 * @param {readonly [string, string]} noun
 * @param {number} expected
 */
function describeChannel(state, outcomes, noun, expected) {
  if (state === 'waiting') return ['accepted, waiting for the broker']
  if (state === 'refused') return ['accepted, but the broker cannot take it as it is']
  if (outcomes?.length) return outcomes.map((outcome) => describeOutcome(outcome, noun))
  if (expected === 0) return ['nothing to send']
  return [outcomes ? `on its way to ${count(expected, ...noun)}` : 'handed to the broker']
}

const finalOutcomes = new Set(['sent', 'failed', 'unknown'])

/** Tells whether nothing more is to come of a notification. @param {Report} report */
export function isSettled({ push, email }) {
  return isChannelSettled(push, push.devices - push.disabled) && (!email || isChannelSettled(email, email.addresses))
}

/** @param {{ state: string, outcomes?: Outcome[] | null }} channel @param {number} expected */
function isChannelSettled({ state, outcomes }, expected) {
  if (state !== 'sent') return state === 'refused'
  if (!outcomes) return true
  const finished = outcomes.filter(({ outcome }) => finalOutcomes.has(outcome))
  return finished.length === outcomes.length && finished.reduce((sum, { count: n }) => sum + n, 0) >= expected
}
