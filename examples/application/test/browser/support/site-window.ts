import { fileURLToPath } from 'node:url'
import { waitFor } from '@mono/test-support'
import type { Browser, BrowserContext, BrowserContextOptions, CDPSession, Locator, Page } from 'playwright-core'

export type WindowOptions = Pick<BrowserContextOptions, 'colorScheme' | 'viewport'> & {
  /** Changes the browser before the page is loaded. */
  prepare?(context: BrowserContext): Promise<unknown>
}

type Region = 'Conversations' | 'Messages' | 'Notify everybody' | 'Notifications on this device' | 'Audit trail'

type State = 'live' | 'catching up' | 'offline'

/** The page in a browser of its own. Everything is found as a person finds it: by what it is and what it is called. */
export interface SiteWindow {
  page: Page
  context: BrowserContext
  region(name: Region): Locator
  /** Opens an address, again if a network of the machine comes or goes meanwhile: Chromium gives up what it loads then. */
  visit(url: string): Promise<void>
  /** Waits until somebody can log in. */
  untilLogin(): Promise<void>
  /** Logs in, again while the page says that it did not work. */
  logIn(user: string): Promise<void>
  /** Opens a conversation, and waits until it is live. */
  choose(conversation: string): Promise<void>
  /** Types a message and presses Enter. */
  type(text: string): Promise<void>
  /** Each message that is shown, as text, in the order in which they are shown. */
  messages(): Promise<string[]>
  /**
   * Waits until a message with this text is shown with its number.
   * @throws Error if there are two of them
   */
  untilNumbered(text: string): Promise<void>
  /** Waits until a message with this text says these words of itself. */
  untilMessage(text: string, words: RegExp): Promise<void>
  untilState(state: State): Promise<void>
  /** Fills in the form that notifies everybody, and sends it. */
  notify(notification: { title: string; text: string; byMail: boolean }): Promise<void>
  /** The page's report of the notification with this title, once the server has accepted it. */
  report(title: string): Locator
  /** By how many pixels the page is wider than its window. */
  overflow(): Promise<number>
  /** Presses Tab until the element with this name has the focus. */
  tabTo(name: RegExp): Promise<void>
  /** Waits until an alert says this. */
  untilAlert(words: RegExp): Promise<void>
  /** A global of the page. */
  read<T>(name: string): Promise<T>
  /** @throws Error if a script of the page has failed, or something was loaded or run that the page's policy forbids */
  close(): Promise<void>
}

/** More than the page has. */
const mostStops = 60

const watching = fileURLToPath(new URL('watch-page.js', import.meta.url))

/** Where a test waits for the page, it waits this long, in milliseconds: a busy machine is no failure. */
const patienceMs = 30_000

export async function openSiteWindow(
  browser: Browser,
  origin: string,
  { prepare, ...options }: WindowOptions = {},
): Promise<SiteWindow> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(patienceMs)
  await context.addInitScript({ path: watching })
  await prepare?.(context)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('dialog', (dialog) => faults.push(`a dialog: ${dialog.message()}`))
  /** These may explain why the page does not go on; many of them a test wants. */
  const troubles: string[] = []
  let cutOff = 0
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? ''
    troubles.push(`${request.url()}: ${reason}`)
    if (reason.includes('ERR_NETWORK_CHANGED')) cutOff += 1
  })
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(message.text())
  })
  const visit = async (url: string) => {
    const isLoaded = async () => {
      const before = cutOff
      await page.goto(url)
      return cutOff === before
    }
    await waitFor(isLoaded, { what: `${url} to be loaded`, timeoutMs: patienceMs })
  }
  await visit(origin)

  const region = (name: Region) => page.getByRole('region', { name, exact: true })
  const items = region('Messages').getByRole('listitem')
  const read = async <T>(name: string) => (await page.evaluate((key) => Reflect.get(globalThis, key), name)) as T
  const messages = () => items.allInnerTexts()
  const untilLogin = async () => {
    try {
      await page.getByRole('heading', { name: 'Who are you today?' }).waitFor()
    } catch (cause) {
      const shown = await page.locator('body').ariaSnapshot()
      throw new Error(`Nobody can log in: ${[...faults, ...troubles].join('; ')}; the page says: ${shown}`, { cause })
    }
  }
  const untilState = async (state: State) => {
    await region('Messages').getByRole('status').getByText(state, { exact: true }).waitFor()
  }

  return {
    page,
    context,
    region,
    visit,
    read,
    messages,
    untilState,
    untilLogin,
    async logIn(user) {
      await untilLogin()
      const conversations = region('Conversations')
      const trouble = page.locator('#login-trouble')
      const isLoggedIn = async () => {
        // Its words are of the attempt before.
        await trouble.evaluate((alert) => alert.setAttribute('hidden', ''))
        await page.getByRole('button', { name: user }).click()
        await conversations.or(trouble).filter({ visible: true }).waitFor()
        return await conversations.isVisible()
      }
      await waitFor(isLoggedIn, { what: `${user} to be logged in`, timeoutMs: 2 * patienceMs })
    },
    async choose(conversation) {
      await region('Conversations').getByRole('button', { name: conversation }).click()
      await untilState('live')
    },
    async type(text) {
      const field = page.getByRole('textbox', { name: 'Message', exact: true })
      await field.fill(text)
      await field.press('Enter')
    },
    async untilNumbered(text) {
      await items.filter({ hasText: text }).filter({ hasText: /#\d+/ }).waitFor()
    },
    async untilMessage(text, words) {
      await items.filter({ hasText: text }).filter({ hasText: words }).waitFor()
    },
    async notify({ title, text, byMail }) {
      const form = region('Notify everybody')
      await form.getByRole('textbox', { name: 'Title' }).fill(title)
      await form.getByRole('textbox', { name: 'Text' }).fill(text)
      await form.getByRole('checkbox', { name: 'Also by mail' }).setChecked(byMail)
      await form.getByRole('button', { name: 'Notify' }).click()
    },
    report: (title) => region('Notify everybody').getByRole('listitem').filter({ hasText: title }),
    overflow: () => page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
    async tabTo(name) {
      const devTools = await context.newCDPSession(page)
      for (let presses = 0; presses < mostStops; presses += 1) {
        await page.keyboard.press('Tab')
        if (name.test(await readFocusedName(devTools))) return await devTools.detach()
      }
      throw new Error(`Expected ${name} to be reached by Tab, found ${mostStops} other stops`)
    },
    async untilAlert(words) {
      await page.getByRole('alert').filter({ hasText: words }).first().waitFor()
    },
    async close() {
      const violations = page.isClosed() ? [] : await read<string[]>('violations')
      await context.close()
      const found = [...faults, ...violations]
      if (found.length > 0) throw new Error(`Expected a page without faults, found ${found.join('; ')}`)
    },
  }
}

/** The accessible name of the element that has the focus, as a screen reader is told it. */
async function readFocusedName(devTools: CDPSession): Promise<string> {
  const { result } = await devTools.send('Runtime.evaluate', { expression: 'document.activeElement' })
  const { nodes } = await devTools.send('Accessibility.getPartialAXTree', {
    ...(result.objectId !== undefined && { objectId: result.objectId }),
    fetchRelatives: false,
  })
  return String(nodes[0]?.name?.value ?? '')
}
