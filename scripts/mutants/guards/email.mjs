// @ts-check
import { promises } from '../promises.mjs'

const source = 'apps/email-worker/src'
const failover = `${source}/failover/create-failover.ts`
const failoverTests = `${source}/failover/create-failover.test.ts`
const serving = `${source}/create-recipient-server.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const email = [
  {
    name: 'hold-keeps-unknown',
    promise: promises.sentOnce,
    guards: 'with hold, a mail that may have been taken is not sent again',
    file: `${source}/create-recipient-server.ts`,
    find: "return { kind: onUnknown === 'hold' ? 'unknown' : 'retry', code, reason, ...named(provider) }",
    replace: "return { kind: 'retry', code, reason, ...named(provider) }",
    tests: { file: serving },
  },
  {
    name: 'hold-keeps-claim',
    promise: promises.sentOnce,
    guards: 'with hold, a mail of a process that died is not sent again',
    file: `${source}/create-recipient-server.ts`,
    find: "if (ambiguous && onUnknown === 'hold') return",
    replace: "if (ambiguous && onUnknown === 'hold' && recipient === '') return",
    tests: { file: serving, name: 'a claim that ran out is held' },
  },
  {
    name: 'hand-over-mark',
    promise: promises.sentOnce,
    guards: 'a mail counts as handed over when its last byte is taken',
    file: `${source}/smtp/hand-over-mark.ts`,
    find: '      handOver.complete = true\n',
    replace: '',
    tests: { file: `${source}/smtp/hand-over-mark.test.ts` },
  },
  {
    name: 'hand-over-buffer',
    promise: promises.sentOnce,
    guards: 'a mail that waits in buffers is not handed over',
    file: `${source}/smtp/hand-over-mark.ts`,
    find: '    readableHighWaterMark: 1,\n',
    replace: '',
    tests: { file: `${source}/smtp/hand-over-mark.test.ts`, name: 'a small body that nobody reads' },
  },
  {
    name: 'signed-before-mark',
    promise: promises.sentOnce,
    guards: 'a signed mail counts as handed over when its last byte is taken, and not when it is signed',
    file: `${source}/smtp/smtp-provider.ts`,
    find:
      '    if (signMail) mail.message.processFunc(signMail)\n' +
      '    if (handOver) mail.message.processFunc((input) => createHandOverStage(input, handOver))\n',
    replace:
      '    if (handOver) mail.message.processFunc((input) => createHandOverStage(input, handOver))\n' +
      '    if (signMail) mail.message.processFunc(signMail)\n',
    tests: { file: 'apps/email-worker/test/dkim.test.ts', name: 'whose end was not sent goes over another connection' },
  },
  {
    name: 'handed-over-unknown',
    promise: promises.sentOnce,
    guards: 'a mail that was handed over and not answered may have been taken',
    file: `${source}/smtp/classify-smtp-error.ts`,
    find: "if (handedOver && !isAnswerToMail(error)) return 'unknown'",
    replace: 'void [handedOver, isAnswerToMail]',
    tests: { file: `${source}/smtp/classify-smtp-error.test.ts` },
  },
  {
    name: 'mailgun-lost-unknown',
    promise: promises.sentOnce,
    guards: 'a mail that Mailgun had and did not answer may have been taken',
    file: `${source}/mailgun/classify-mailgun-error.ts`,
    find: '  if (sent) {\n',
    replace: '  if (sent && code === undefined) {\n',
    tests: { file: `${source}/mailgun/classify-mailgun-error.test.ts` },
  },
  {
    name: 'mailgun-500-unknown',
    promise: promises.sentOnce,
    guards: 'a mail that Mailgun answered with 500 may have been taken',
    file: `${source}/mailgun/mailgun-rules.ts`,
    find: "{ status: /^5/, fault: 'unknown' }",
    replace: "{ status: /^5/, fault: 'server' }",
    tests: { file: `${source}/mailgun/classify-mailgun-answer.test.ts` },
  },
  {
    name: 'mailgun-stops-in-doubt',
    promise: promises.sentOnce,
    guards: 'after five mails in doubt Mailgun gets no more until it answers a probe',
    file: `${source}/mailgun/unknown-run.ts`,
    find: 'if (this.#length < most || this.#last === undefined) return',
    replace: 'if (this.#length >= 0 || this.#last === undefined) return',
    tests: { file: `${source}/mailgun/unknown-run.test.ts` },
  },
  {
    name: 'mailgun-tries-alone',
    promise: promises.sentOnce,
    guards: 'after a probe one mail tries Mailgun, and the others wait for its outcome',
    file: `${source}/mailgun/unknown-run.ts`,
    find: 'if (this.#trial === undefined) return this.#beginTrial()',
    replace: 'if (most > 0) return this.#beginTrial()',
    tests: { file: `${source}/mailgun/unknown-run.test.ts` },
  },
  {
    name: 'mailgun-account-fault',
    promise: promises.survivesOutages,
    guards: 'what Mailgun has against our account is counted against no mail',
    file: `${source}/mailgun/mailgun-rules.ts`,
    find: "words: account, fault: 'ours'",
    replace: "words: account, fault: 'mail'",
    tests: { file: `${source}/mailgun/classify-mailgun-answer.test.ts` },
  },
  {
    name: 'one-spelling',
    promise: promises.sentOnce,
    guards: 'two spellings of an address are one recipient',
    file: `${source}/recipient.ts`,
    find: 'return hasFault(address) ? address : normalizeAddress(address)',
    replace: 'void normalizeAddress\n  return address',
    tests: { file: 'apps/email-worker/test/handle-email.test.ts', name: 'two spellings' },
  },
  {
    name: 'unknown-is-nobody-elses',
    promise: promises.sentOnce,
    guards: 'a mail that one provider may have is not tried at the other',
    file: failover,
    find: "if (outcome.kind === 'permanent' || outcome.kind === 'unknown') throw",
    replace: "if (outcome.kind === 'permanent') throw",
    tests: { file: failoverTests, name: 'goes by nobody else' },
  },
  {
    name: 'refused-for-all',
    promise: promises.sentOnce,
    guards: 'a mail that one provider refuses for its content is not tried at the other',
    file: failover,
    find: "if (outcome.kind === 'permanent' || outcome.kind === 'unknown') throw",
    replace: "if (outcome.kind === 'unknown') throw",
    tests: { file: failoverTests, name: 'goes by nobody else' },
  },
  {
    name: 'doubt-outlives-the-try',
    promise: promises.sentOnce,
    guards: 'a mail that one provider may have from an earlier try is sent by nobody else',
    file: failover,
    find: 'only: candidates.find(({ name }) => name === only)',
    replace: 'only: candidates.find(({ name }) => name === only && false)',
    tests: { file: failoverTests, name: 'goes by that one only' },
  },
  {
    name: 'handed-over-stays',
    promise: promises.sentOnce,
    guards: 'a mail that was handed over is not taken back when its provider goes away',
    file: `${source}/mail-signal.ts`,
    find: 'this.#withdraw?.aborted && !this.#isHandedOver',
    replace: 'this.#withdraw?.aborted',
    tests: { file: `${source}/mail-signal.test.ts` },
  },
]
