// @ts-check
import { promises } from '../promises.mjs'

const source = 'apps/email-worker/src'
const accessTokens = 'packages/access-tokens/src'
const serving = `${source}/create-recipient-server.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const email = [
  {
    name: 'hold-keeps-unknown',
    promise: promises.sentOnce,
    guards: 'with hold, a mail that may have been taken is not sent again',
    file: `${source}/create-recipient-server.ts`,
    find: "return { kind: onUnknown === 'hold' ? 'unknown' : 'retry', code, reason: message }",
    replace: "return { kind: 'retry', code, reason: message }",
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
    name: 'one-spelling',
    promise: promises.sentOnce,
    guards: 'two spellings of an address are one recipient',
    file: `${source}/recipient.ts`,
    find: 'return hasFault(address) ? address : normalizeAddress(address)',
    replace: 'void normalizeAddress\n  return address',
    tests: { file: 'apps/email-worker/test/handle-email.test.ts', name: 'two spellings' },
  },
  {
    name: 'email-token-early',
    promise: promises.survivesOutages,
    guards: 'an access token is renewed before its end, and given out meanwhile',
    file: `${accessTokens}/access-tokens.ts`,
    find: 'renewAt: endsAt - Math.min(marginMs, lifetimeMs / 2)',
    replace: 'renewAt: endsAt',
    tests: { file: `${accessTokens}/access-tokens.test.ts`, name: 'is renewed once, and given out meanwhile' },
  },
  {
    name: 'email-token-revoked',
    promise: promises.survivesOutages,
    guards: 'an access token that the mail server refuses is renewed',
    file: `${source}/oauth/oauth-login.ts`,
    find: "return answer.startsWith('5') && ",
    replace: "return answer.startsWith('334') && ",
    tests: { file: `${source}/oauth/oauth-login.test.ts`, name: 'is renewed' },
  },
  {
    name: 'email-token-no-flood',
    promise: promises.survivesOutages,
    guards: 'a mail server that takes no token does not have the token endpoint asked at every login',
    file: `${source}/oauth/oauth-login.ts`,
    find: 'const leastRenewMs = 60_000',
    replace: 'const leastRenewMs = 0',
    tests: { file: `${source}/oauth/oauth-login.test.ts`, name: 'once a minute' },
  },
]
