import { printNumbers, summarize, waitFor } from '@mono/test-support'
import type { Route } from 'playwright-core'
import { expect } from 'vitest'
import { describePage, test } from './support/chromium-test.js'
import type { SiteWindow } from './support/site-window.js'

/** The words that are typed, by which the page's watcher knows the message. */
const toWords = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => `typed-${String(from + index).padStart(3, '0')}`)

/** The words of a window's messages, in the order in which they are shown. */
const readWords = async (window: SiteWindow) =>
  (await window.messages()).flatMap((text) => text.match(/typed-\d+/g) ?? [])

const untilShown = (window: SiteWindow, word: string) =>
  waitFor(async () => (await readWords(window)).includes(word), { what: `${word} to be shown`, timeoutMs: 60_000 })

describePage('a conversation in two windows', () => {
  test('what one types the other sees, each message once and in order', async ({ stage }) => {
    const site = await stage()
    const [ada, grace] = await Promise.all([site.open('Ada'), site.open('Grace')])
    for (const window of [ada, grace]) await window.choose('Lunch')
    const words = toWords(0, 200)
    for (const word of words) {
      await ada.type(word)
      await ada.untilNumbered(word)
    }
    await untilShown(grace, words.at(-1) ?? '')
    const numbered = words.map((word, index) => [`#${index + 1}`, word])
    for (const [window, sender] of [
      [ada, 'Ada (you)'],
      [grace, 'Ada'],
    ] as const) {
      const shown = await window.messages()
      expect(shown.map((text) => text.match(/#\d+|typed-\d+/g))).toEqual(numbered)
      expect(shown.filter((text) => text.startsWith(`${sender} `))).toHaveLength(words.length)
    }
    const typedAt = await ada.read<Record<string, number>>('typedAt')
    const seenAt = await grace.read<Record<string, number>>('seenAt')
    expect(Object.keys(seenAt)).toEqual(words)
    const times = words.map((word) => Math.round((seenAt[word] ?? 0) - (typedAt[word] ?? 0)))
    printNumbers('page, from the key to the other window', { messages: words.length, ...summarize(times) })
  }, 600_000)

  test('a window that was offline says so, catches up, and has each message once and in order', async ({ stage }) => {
    const site = await stage()
    const [ada, grace] = await Promise.all([site.open('Ada'), site.open('Grace')])
    for (const window of [ada, grace]) await window.choose('Lunch')
    const words = toWords(0, 40)
    for (const word of words.slice(0, 10)) await ada.type(word)
    await untilShown(grace, 'typed-009')
    await grace.context.setOffline(true)
    // The switch of the developer tools lets a WebSocket be that is open.
    site.realtime.cut()
    await grace.untilState('offline')
    for (const word of words.slice(10)) await ada.type(word)
    await ada.untilNumbered('typed-039')
    expect(await readWords(grace)).toHaveLength(10)
    await grace.context.setOffline(false)
    await untilShown(grace, 'typed-039')
    await grace.untilState('live')
    const states = await grace.read<string[]>('statesShown')
    expect(states.slice(-3)).toEqual(['offline', 'catching up', 'live'])
    for (const window of [ada, grace]) expect(await readWords(window)).toEqual(words)
  })

  test('what is written while a message is on its way is sent after it', async ({ stage }) => {
    const site = await stage()
    const ada = await site.open('Ada')
    await ada.choose('Lunch')
    const held: Route[] = []
    await ada.page.route('**/conversations/lunch/messages', async (route) => {
      if (route.request().postData()?.includes('typed-000')) held.push(route)
      else await route.continue()
    })
    await ada.type('typed-000')
    await ada.type('typed-001')
    await ada.untilMessage('typed-001', /waits for the message before/)
    for (const route of held) await route.continue()
    await ada.untilNumbered('typed-001')
    expect(await readWords(ada)).toEqual(['typed-000', 'typed-001'])
  })
})
