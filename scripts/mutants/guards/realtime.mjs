// @ts-check
import { promises } from '../promises.mjs'

const source = 'packages/realtime/src'
const browser = `${source}/browser`
const tokenTests = `${source}/create-realtime-token.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const realtime = [
  {
    name: 'realtime-gap',
    promise: promises.pageMissesNothing,
    guards: 'a page asks for what is missing before a message that it hears',
    file: `${browser}/realtime-client.ts`,
    find: 'if (subscription.isOpen && subscription.hasGap) this.#catchUp.fill(subscription)',
    replace: '',
    tests: { file: `${browser}/ordering.test.ts`, name: 'a gap is filled' },
  },
  {
    name: 'realtime-reconnect',
    promise: promises.pageMissesNothing,
    guards: 'a page asks for what it may have missed when it hears a conversation again',
    file: `${browser}/realtime-client.ts`,
    find: 'onHeard: (conversation) => this.#catchUpWith(conversation)',
    replace: 'onHeard: () => {}',
    tests: { file: `${browser}/connecting.test.ts`, name: 'after a lost connection' },
  },
  {
    name: 'realtime-last-lost',
    promise: promises.pageMissesNothing,
    guards: 'the last message of a conversation is asked for from time to time',
    file: `${browser}/realtime-client.ts`,
    find: 'for (const subscription of heard) this.#catchUp.look(subscription)',
    replace: '',
    tests: { file: `${browser}/ordering.test.ts`, name: 'found by the next look' },
  },
  {
    name: 'realtime-cut-answer',
    promise: promises.pageMissesNothing,
    guards: 'an answer that brings something is followed by another question',
    file: `${browser}/subscription.ts`,
    find: '|| !this.hasAdvanced)',
    replace: '|| true)',
    tests: { file: `${browser}/ordering.test.ts`, name: 'an answer that was cut' },
  },
  {
    name: 'realtime-out-of-date',
    promise: promises.pageMissesNothing,
    guards: 'an answer to a question from before the connection was lost does not count',
    file: `${browser}/catch-up.ts`,
    find: 'if (isOutOfDate) this.#setDue(subscription)',
    replace: 'if (false) this.#setDue(subscription)',
    tests: {
      file: `${browser}/connecting.test.ts`,
      name: 'an answer to what was asked before the connection was lost',
    },
  },
  {
    name: 'realtime-guilty',
    promise: promises.pageMissesNothing,
    guards: 'one conversation that the broker refuses by closing the connection does not silence the others',
    file: `${browser}/link-subscriber.ts`,
    find: 'if (isAlone) conversation.suspicion += 1',
    replace: 'if (isAlone) conversation.suspicion = 1',
    tests: { file: `${browser}/subscribing.test.ts`, name: 'for which the broker closes the connection' },
  },
  {
    name: 'realtime-token-end',
    promise: promises.pageHearsItsOwn,
    guards: 'a connection is not used after its token has ended',
    file: `${browser}/connection-keeper.ts`,
    find: 'this.#endTimer = setTimeout(() => this.#endToken(link), token.endsInMs)',
    replace: '',
    tests: { file: `${browser}/connecting.test.ts`, name: 'the connection is ended with its token' },
  },
  {
    name: 'realtime-subject',
    promise: promises.pageHearsItsOwn,
    guards: 'no user has sessions whose names begin as those of another user',
    file: `${source}/to-subject.ts`,
    find: "[.!~*'()]",
    replace: "[!~*'()]",
    tests: { file: tokenTests, name: 'the user bob.evil has sessions of its own' },
  },
  {
    name: 'realtime-scope',
    promise: promises.pageHearsItsOwn,
    guards: 'an id is no pattern in a scope, nor two scopes',
    file: `${source}/to-scope.ts`,
    find: 'encodeURIComponent(realtimeRoutingKey(tenantId, id))',
    replace: 'realtimeRoutingKey(tenantId, id)',
    tests: { file: tokenTests, name: 'what stands for something in a scope is encoded' },
  },
  {
    name: 'realtime-development-key',
    promise: promises.pageHearsItsOwn,
    guards: 'nobody makes tokens with the development key in production',
    file: `${source}/parse-signing-key.ts`,
    find: 'if (isProduction && ',
    replace: 'if (!isProduction && ',
    tests: { file: tokenTests, name: 'a development key is good on this machine' },
  },
]
