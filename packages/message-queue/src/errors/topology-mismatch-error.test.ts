import { describe, expect, test } from 'vitest'
import { TopologyMismatchError, toTopologyMismatchError } from './topology-mismatch-error.js'

function refused(text: string, code: unknown = 406): Error {
  const message = `Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - ${text}"`
  return Object.assign(new Error(message), { code })
}

describe('toTopologyMismatchError', () => {
  test.each([
    [
      "inequivalent arg 'x-max-length' for queue 'chat.messages' in vhost 'mono': received the value '100000' of type 'signedint' but current is the value '10' of type 'long'",
      { queue: 'chat.messages', argument: 'x-max-length', found: '10', wanted: '100000' },
    ],
    [
      "inequivalent arg 'x-queue-type' for queue 'audit.events.dlq' in vhost '/': received the value 'quorum' of type 'longstr' but current is none",
      { queue: 'audit.events.dlq', argument: 'x-queue-type', found: 'none', wanted: 'quorum' },
    ],
    [
      "inequivalent arg 'x-message-ttl' for queue 'chat.messages' in vhost 'mono': received none but current is the value '1' of type 'signedint'",
      { queue: 'chat.messages', argument: 'x-message-ttl', found: '1', wanted: 'none' },
    ],
    [
      "inequivalent arg 'durable' for queue 'chat.messages' in vhost 'mono': received 'true' but current is 'false'",
      { queue: 'chat.messages', argument: 'durable', found: 'false', wanted: 'true' },
    ],
    [
      "inequivalent arg 'type' for exchange 'messages' in vhost 'mono': received 'topic' but current is 'fanout'",
      { queue: 'messages', argument: 'type', found: 'fanout', wanted: 'topic' },
    ],
    [
      "inequivalent arg 'x-max-length' for queue 'chat.messages' in vhost 'tests:7': received the value '1' of type 'signedint' but current is none",
      { queue: 'chat.messages', argument: 'x-max-length', found: 'none', wanted: '1' },
    ],
  ])('reads what the broker says: %s', (text, mismatch) => {
    const cause = refused(text)
    const error = toTopologyMismatchError(cause)
    expect(error).toBeInstanceOf(TopologyMismatchError)
    expect(error).toMatchObject({ code: 'TOPOLOGY_MISMATCH', ...mismatch, cause })
    expect(error?.message).toContain(
      `${mismatch.queue} exists with other arguments: expected ${mismatch.argument} to be ${mismatch.wanted}, found ${mismatch.found}.`,
    )
  })

  test('says what to do', () => {
    const error = new TopologyMismatchError({ queue: 'q', argument: 'a', found: '1', wanted: '2' })
    expect(error.message).toContain('Empty and delete it so that it is declared anew')
  })

  test('says which command does it where there is one', () => {
    const mismatch = { queue: 'chat.messages', argument: 'x-single-active-consumer', found: 'none', wanted: 'true' }
    const { message } = new TopologyMismatchError(mismatch)
    expect(message).toMatch(/found none\. Run `npm run migrate:chat-queue`\.$/)
  })

  test.each([
    ['another precondition', refused('unknown delivery tag 1')],
    ['another code', refused("inequivalent arg 'a' for queue 'q' in vhost 'v': received '1' but current is '2'", 403)],
    ['no code', new Error("inequivalent arg 'a' for queue 'q' in vhost 'v': received '1' but current is '2'")],
    ['what is no Error', { code: 406, message: 'inequivalent arg' }],
    ['nothing', undefined],
  ])('leaves %s alone', (_what, error) => {
    expect(toTopologyMismatchError(error)).toBeUndefined()
  })
})
