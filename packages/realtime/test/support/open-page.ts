import { onTestFinished, vi } from 'vitest'
import type { ConversationState, LoadedConversation, OpenConversation, RealtimeError } from '../../src/browser/index.js'
import { RealtimeClient, type RealtimeClientOptions } from '../../src/browser/realtime-client.js'
import { createMessage } from './create-message.js'
import { createTestToken } from './create-test-token.js'
import { FakeBroker } from './fake-broker.js'

type Answer = readonly LoadedConversation[] | Promise<readonly LoadedConversation[]> | Error | 'hang' | 'stored'

/** The application's server: what it has stored, and what it was asked. */
class FakeApplication {
  /** The last sequence of each conversation. */
  readonly stored = new Map<string, number>()
  /** It does not give these out, as `conversation:sequence`. */
  readonly missing = new Set<string>()
  readonly questions: OpenConversation[][] = []
  readonly answers: Answer[] = []
  /** Messages of a conversation in one answer. */
  atMost = 1_000
  tokens = 0
  createToken: () => string | Promise<string> = () => createTestToken()

  readonly getToken = async (): Promise<string> => {
    this.tokens += 1
    return await this.createToken()
  }

  readonly loadAfter = async (open: OpenConversation[]): Promise<readonly LoadedConversation[]> => {
    this.questions.push(open)
    const answer = this.answers.shift() ?? 'stored'
    if (answer instanceof Error) throw answer
    if (answer === 'hang') return await new Promise(() => {})
    return answer === 'stored' ? open.map((one) => this.#answer(one)) : await answer
  }

  #answer({ conversationId, after }: OpenConversation): LoadedConversation {
    const last = this.stored.get(conversationId) ?? 0
    const sequences = Array.from({ length: Math.max(0, last - after) }, (_, index) => after + 1 + index)
    const given = sequences.filter((sequence) => !this.missing.has(`${conversationId}:${sequence}`))
    return {
      conversationId,
      messages: given.slice(0, this.atMost).map((sequence) => createMessage(conversationId, sequence)),
    }
  }
}

/** A page with a broker and a server that the test breaks; time passes by `vi.advanceTimersByTimeAsync` only. */
export function openPage(options: Partial<RealtimeClientOptions> = {}) {
  vi.useFakeTimers()
  const broker = new FakeBroker()
  const application = new FakeApplication()
  const errors: RealtimeError[] = []
  const client = new RealtimeClient({
    urls: ['ws://a.example.com/ws'],
    getToken: application.getToken,
    loadAfter: application.loadAfter,
    checkEveryMs: 60_000,
    keepaliveSeconds: 20,
    timeoutMs: 10_000,
    onError: (error) => void errors.push(error),
    openLink: broker.openLink,
    random: () => 0.5,
    ...options,
  })
  onTestFinished(() => {
    client.close()
    vi.useRealTimers()
  })

  function open(conversationId: string, { after = 0, onMessage = (_sequence: number): unknown => undefined } = {}) {
    const heard: number[] = []
    const states: ConversationState[] = []
    const close = client.subscribe(conversationId, {
      after,
      onMessage(message) {
        heard.push(message.sequence)
        return onMessage(message.sequence)
      },
      onState: (state) => void states.push(state),
    })
    return { heard, states, close, onlyNew: () => states.splice(0) }
  }

  return { broker, application, errors, client, open, codes: () => errors.map(({ code }) => code) }
}

/** Lets what is due at once happen, and questions be gathered. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(30)
}

export const seconds = async (count: number) => void (await vi.advanceTimersByTimeAsync(count * 1_000))
