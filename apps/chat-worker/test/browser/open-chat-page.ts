import { waitFor } from '@mono/test-support'
import type { Browser, Page } from 'playwright-core'

export interface HeardMessage {
  conversationId: string
  messageId: string
  sequence: number
  /** Milliseconds since 1970, by the clock of this machine. */
  at: number
}

export interface ToldState {
  conversationId: string
  state: 'live' | 'catching-up' | 'offline'
  at: number
}

/** The page as it stands in the browser; it is loaded once. */
export interface ChatPage {
  /** The messages that its client has handed on, in that order. */
  heard(): Promise<HeardMessage[]>
  states(): Promise<ToldState[]>
  /** The errors that its client has reported, in words. */
  errors(): Promise<string[]>
  /** Waits until so many conversations, which must be all of the page, are in this state. */
  untilAll(state: ToldState['state'], conversations: number): Promise<void>
  /** As the switch in the browser's developer tools. */
  setOffline(isOffline: boolean): Promise<void>
  /** As a person who comes back to the tab does: the client then does at once what it is waiting for. */
  lookAgain(): Promise<void>
  close(): Promise<void>
}

/** @returns the page when its script runs */
export async function openChatPage(browser: Browser, url: string): Promise<ChatPage> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  await page.goto(url)
  const read = <T>(name: string) => readGlobal<T>(page, name)
  await waitFor(() => read('states'), { what: `the page's script to run` }).catch((error: unknown) => {
    throw new Error(`The page's script does not run: ${faults.join('; ')}`, { cause: error })
  })
  const states = () => read<ToldState[]>('states')
  return {
    heard: () => read<HeardMessage[]>('heard'),
    states,
    errors: () => read<string[]>('errors'),
    async untilAll(state, conversations) {
      const countConversations = async () => {
        const last = new Map((await states()).map((told) => [told.conversationId, told.state]))
        return [...last.values()].filter((each) => each === state).length
      }
      await waitFor(async () => (await countConversations()) === conversations, {
        what: `${conversations} conversations of the page to be ${state}`,
      })
    },
    setOffline: (isOffline) => context.setOffline(isOffline),
    async lookAgain() {
      await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`)
    },
    close: () => context.close(),
  }
}

async function readGlobal<T>(page: Page, name: string): Promise<T> {
  return (await page.evaluate((key) => Reflect.get(globalThis, key), name)) as T
}
