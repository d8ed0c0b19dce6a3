import { test as baseTest, findRealtime, printNumbers, summarize, waitFor } from '@mono/test-support'
import { hasChromium, launchChromium } from '@mono/test-support/browser'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { conversations } from '../description.mjs'
import { untilActive } from '../until-active.js'
import { openStage, type Stage, type StageOptions } from './stage.js'

const realtime = findRealtime()
const obstacle = hasChromium() ? realtime === undefined && 'the broker was given without' : 'Chromium is not installed'

/** Messages that are not measured, because the code of worker and page is compiled meanwhile. */
const warmUp = 40

/** This share of all broadcasts is lost, and the last one of each conversation. */
const lostShare = 0.2

let browser: Browser
const test = baseTest.extend<{ open(options?: Omit<StageOptions, 'browser' | 'realtime'>): Promise<Stage> }>({
  open: async ({ vhost, database, workers, cleanUp }, use) => {
    await use((options) => openStage({ vhost, database, workers, cleanUp }, { browser, realtime, ...options }))
  },
})

describe.skipIf(obstacle)(`a page in Chromium${obstacle ? ` (not tried here: ${obstacle})` : ''}`, () => {
  beforeAll(async () => {
    browser = await launchChromium()
  }, 60_000)
  afterAll(() => browser?.close())

  test('hears each message once, and in the order of its conversation', async ({ open }) => {
    const stage = await open()
    await stage.send(warmUp + 200)
    const heard = await stage.expectAll()
    const measured = heard.filter(({ messageId }) => stage.indexOf(messageId) >= warmUp)
    const times = measured.map(({ messageId, at }) => at - stage.confirmedAt(messageId))
    printNumbers('browser, from the confirm to the page', { messages: times.length, ...summarize(times) })
  })

  test('gets what it missed while it was offline, without a reload', async ({ open }) => {
    const stage = await open()
    await stage.send(20)
    await stage.page.setOffline(true)
    stage.network.cut()
    await stage.page.untilAll('offline', conversations)
    await stage.send(500)
    const onlineAt = Date.now()
    await stage.page.setOffline(false)
    const heard = await stage.expectAll()
    printNumbers('browser, offline', { messages: 500, allAfterMs: (heard.at(-1)?.at ?? 0) - onlineAt })
  })

  test('hears on when the active chat-worker is killed', async ({ open }) => {
    const stage = await open({ replicas: 2 })
    await stage.send(100)
    const { replica } = await untilActive(stage.fleet)
    const sending = stage.send(200)
    replica.kill('SIGKILL')
    await replica.exited
    const killedAt = Date.now()
    await sending
    const heard = await stage.expectAll()
    printNumbers('browser, active chat-worker killed', {
      messages: 300,
      allAfterMs: (heard.at(-1)?.at ?? 0) - killedAt,
    })
  })

  test('renews its token, and goes on after a time without one', async ({ open }) => {
    const stage = await open({ ttlSeconds: 8 })
    const countOffline = async () => (await stage.page.states()).filter(({ state }) => state === 'offline').length
    const offlineAtFirst = await countOffline()
    await waitFor(
      async () => {
        await stage.send(1)
        return stage.countRequests('/token') >= 3
      },
      { what: 'the token to be renewed twice' },
    )
    expect(await countOffline()).toBe(offlineAtFirst)
    stage.server.refuseTokens(true)
    await stage.page.untilAll('offline', conversations)
    await stage.send(100)
    stage.server.refuseTokens(false)
    const grantedAt = Date.now()
    await stage.page.lookAgain()
    const heard = await stage.expectAll()
    const allAfterMs = (heard.at(-1)?.at ?? 0) - grantedAt
    printNumbers('browser, token', { renewals: 2, allAfterMs })
  })

  test('misses nothing of broadcasts that are lost, the last of each conversation among them', async ({ open }) => {
    const count = 400
    const stage = await open({ checkEverySeconds: 2 })
    const lostAt = new Map<string, number>()
    stage.proxy.lose(({ payload }) => {
      const { messageId } = JSON.parse(payload.toString())
      const isLast = stage.indexOf(messageId) >= count - conversations
      if (!isLast && Math.random() >= lostShare) return false
      lostAt.set(messageId, Date.now())
      return true
    })
    await stage.send(count)
    const heard = await stage.expectAll()
    expect(lostAt.size).toBeGreaterThanOrEqual(conversations)
    const lost = heard.filter(({ messageId }) => lostAt.has(messageId))
    const late = lost.map(({ messageId, at }) => at - (lostAt.get(messageId) ?? 0))
    printNumbers('browser, lost broadcasts', { messages: count, lost: lost.length, late: summarize(late) })
  })
})
