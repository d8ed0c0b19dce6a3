import { createRecordingLogger } from '@mono/test-support'
import { describe, expect, test } from 'vitest'
import { createConsumeMessage } from '../../test/support/create-consume-message.js'
import { settle } from '../../test/support/fake-broker.js'
import { DeferError } from '../errors/handler-errors.js'
import { DeliveryFlow } from './delivery-flow.js'
import type { Handled, Held, Intake, IntakeOptions } from './handling/intake.js'
import { Delivery } from './receiving/delivery.js'
import { CompetingSchedule } from './scheduling/competing-schedule.js'
import type { Settler } from './settling/settler.js'

interface DeliveryParts {
  /** How often it was in flight when its consumer ended. */
  ends?: number
  /** It came by a registration that admits one at a time. */
  alone?: boolean
  body?: string
  headers?: Record<string, unknown>
  exchange?: string
}

const reason = new DeferError('smtp cannot be used', { code: 'PROVIDER_UNAVAILABLE' })

/** A flow of deliveries that are called by letters, and everything that it does, in order. */
function createFlow() {
  const done: string[] = []
  const names = new Map<Delivery, string>()
  const reasons: unknown[] = []
  const held = new Map<string, Held>()
  const batch = new Map<string, Held>()
  const { lines, ...logger } = createRecordingLogger()
  let intakeOptions: IntakeOptions | undefined
  let confirmed: Promise<unknown> = Promise.resolve()

  const settleAs = (what: string) => async (delivery: Delivery, why?: unknown) => {
    done.push(`${what} ${names.get(delivery)}`)
    reasons.push(why)
    await confirmed
  }
  const settleHeld = settleAs('settle')
  const settler = {
    settle: ({ delivery }: Held, { failure }: Handled) => settleHeld(delivery, failure?.thrown),
    defer: settleAs('defer'),
    deadLetter: settleAs('dead-letter'),
    return: settleAs('return'),
  } as unknown as Settler

  const flow = new DeliveryFlow({
    queue: 'push.notifications',
    logger,
    settler,
    onPrefetch: (prefetch) => done.push(`prefetch ${prefetch}`),
    createSchedule: (parts) =>
      new CompetingSchedule({
        ...parts,
        queue: 'push.notifications',
        logger,
        prefetch: 10,
        handlerTimeoutMs: 1_000,
        createIntake,
      }),
  })

  function createIntake(options: IntakeOptions): Intake {
    intakeOptions = options
    return {
      size: 100,
      take(taken) {
        const name = names.get(taken.delivery) ?? ''
        done.push(`take ${name}`)
        held.set(name, taken)
        batch.set(name, taken)
      },
      flush() {
        done.push('flush')
        batch.clear()
      },
      discard() {
        const discarded = [...batch.values()]
        batch.clear()
        return discarded
      },
    }
  }

  return {
    flow,
    /** The deliveries done since the last call. */
    done: () => done.splice(0),
    /** Why deliveries were settled as they were. */
    reasons,
    lines,
    othersMayWait: () => intakeOptions?.othersMayWait(),
    get handlerSignal() {
      return intakeOptions?.signal
    },
    receive(name: string, { ends = 0, alone = false, body, headers = {}, exchange }: DeliveryParts = {}) {
      const message = createConsumeMessage({
        ...(body !== undefined && { body }),
        ...(exchange !== undefined && { exchange, routingKey: 'work' }),
        redelivered: ends > 0,
        properties: { headers: { ...headers, 'x-delivery-count': ends } },
      })
      const channel = { ack() {}, reject() {}, closed: new AbortController().signal, maxFrameBytes: 131_072 }
      const delivery = new Delivery('push.notifications', message, { channel, alone })
      names.set(delivery, name)
      flow.receive(delivery)
    },
    /** Those that wait for company. */
    batched: () => [...batch.keys()],
    /** It waits for no company any more: its handler is at work. */
    begin: (name: string) => batch.delete(name),
    /** Its handler is done. */
    handle(name: string, thrown?: unknown) {
      const handled = held.get(name)
      if (handled === undefined) throw new Error(`Expected ${name} to have been taken, found it was not`)
      batch.delete(name)
      intakeOptions?.onHandled(handled, { handlerMs: 1, ...(thrown !== undefined && { failure: { thrown } }) })
    },
    /** From now on settling lasts until it is confirmed or fails. */
    holdSettling() {
      let confirm = () => {}
      let fail = (_error: Error) => {}
      confirmed = new Promise<void>((resolve, reject) => {
        confirm = resolve
        fail = reject
      })
      return { confirm, fail }
    },
  }
}

/** Past its first delivery, so that it takes as many as the prefetch admits. */
async function createNormalFlow() {
  const created = createFlow()
  created.receive('first', { alone: true })
  created.handle('first')
  await settle()
  expect(created.flow.mode).toBe('normal')
  created.done()
  return created
}

/** Takes one at a time; `b` is the first one since then that was not in flight when a consumer ended. */
async function createCautiousFlow() {
  const created = createFlow()
  created.receive('a', { ends: 1, alone: true })
  created.handle('a')
  await settle()
  created.receive('b', { alone: true })
  created.done()
  return created
}

describe('a delivery', () => {
  test('is received, read, handled and settled', async () => {
    const { flow, done, receive, handle } = await createNormalFlow()
    receive('a')
    expect(done()).toEqual(['take a'])
    expect([flow.inFlight, flow.received]).toEqual([1, 2])
    handle('a')
    expect(done()).toEqual(['settle a'])
    expect(flow.inFlight).toBe(1)
    await settle()
    expect([flow.inFlight, flow.received]).toEqual([0, 2])
  })

  test('is handed on with what its handler threw', async () => {
    const { receive, handle, reasons } = await createNormalFlow()
    const thrown = new Error('no luck')
    receive('a')
    handle('a', thrown)
    expect(reasons.at(-1)).toBe(thrown)
  })

  test('that cannot be read is dead-lettered and not handled', async () => {
    const { flow, done, receive, reasons } = await createNormalFlow()
    receive('a', { body: '{' })
    expect(done()).toEqual(['dead-letter a'])
    expect(reasons.at(-1)).toMatchObject({ code: 'INVALID_JSON' })
    await settle()
    expect(flow.inFlight).toBe(0)
  })

  test('that is older than the TTL of its queue is settled as expired and not handled', async () => {
    const { flow, done, receive, reasons } = await createNormalFlow()
    receive('a', { headers: { 'x-published-at': '2020-01-01T00:00:00Z' } })
    expect(done()).toEqual(['settle a'])
    expect(reasons.at(-1)).toMatchObject({ code: 'EXPIRED' })
    await settle()
    expect(flow.inFlight).toBe(0)
  })

  test('expires by the time since a part of it was done', async () => {
    const { done, receive, reasons } = await createNormalFlow()
    const old = new Date(Date.now() - 2 * 60 * 60 * 1_000).toISOString()
    const headers = {
      'x-published-at': old,
      'x-original-exchange': 'notifications',
      'x-original-routing-key': 'push.web',
    }
    const exchange = 'push.notifications.retry'
    receive('in progress', { exchange, headers: { ...headers, 'x-progress-at': new Date().toISOString() } })
    expect(done()).toEqual(['take in progress'])
    receive('stuck', { exchange, headers: { ...headers, 'x-progress-at': old } })
    expect(done()).toEqual(['settle stuck'])
    expect(reasons.at(-1)).toMatchObject({ code: 'EXPIRED' })
  })

  test('says that others may wait once there are as many as are taken at a time', async () => {
    const { othersMayWait, receive } = await createNormalFlow()
    for (let count = 1; count < 10; count += 1) receive(`m-${count}`)
    expect(othersMayWait()).toBe(false)
    receive('m-10')
    expect(othersMayWait()).toBe(true)
  })

  test('that comes alone waits for no company', () => {
    const { done, receive } = createFlow()
    receive('a', { alone: true })
    expect(done()).toEqual(['prefetch 10', 'take a', 'flush'])
  })

  test('that is isolated waits for no company, and is neither read nor handled before its turn', async () => {
    const { done, receive, handle } = await createNormalFlow()
    receive('a')
    receive('isolated', { ends: 2 })
    receive('unreadable', { ends: 3, body: '{' })
    expect(done()).toEqual(['take a', 'prefetch 1'])
    handle('a')
    await settle()
    expect(done()).toEqual(['settle a', 'take isolated', 'flush'])
    handle('isolated')
    await settle()
    expect(done()).toEqual(['settle isolated', 'dead-letter unreadable'])
  })

  test('ends its turn when it is settled, not when it is handled', async () => {
    const { done, receive, handle, holdSettling } = await createNormalFlow()
    const { confirm } = holdSettling()
    receive('a')
    receive('isolated', { ends: 2 })
    handle('a')
    await settle()
    expect(done()).toEqual(['take a', 'prefetch 1', 'settle a'])
    confirm()
    await settle()
    expect(done()).toEqual(['take isolated', 'flush'])
  })

  test('that could not be settled is logged, and the next has its turn', async () => {
    const { flow, done, receive, handle, holdSettling, lines } = await createNormalFlow()
    const { fail } = holdSettling()
    receive('a')
    receive('isolated', { ends: 2 })
    handle('a')
    done()
    const bug = new TypeError('a bug')
    fail(bug)
    await settle()
    expect(lines.at(-1)).toMatchObject({ level: 'error', message: 'Settling a delivery failed', data: { err: bug } })
    expect(done()).toEqual(['take isolated', 'flush'])
    expect(flow.inFlight).toBe(1)
  })
})

describe('the prefetch', () => {
  test('is one until the first delivery has come', () => {
    const { flow, receive } = createFlow()
    expect([flow.mode, flow.prefetch]).toEqual(['first', 1])
    receive('a', { alone: true })
    expect([flow.mode, flow.prefetch]).toEqual(['normal', 10])
  })

  test('is one while deliveries come that were in flight when a consumer ended, which is a warning', async () => {
    const { flow, done, handle, lines } = await createCautiousFlow()
    expect([flow.mode, flow.prefetch]).toEqual(['cautious', 1])
    expect(lines).toMatchObject([{ level: 'warn', data: { queue: 'push.notifications', mode: 'cautious' } }])
    // Before it is settled, so that the broker does not send another by the old prefetch.
    handle('b')
    expect(done()).toEqual(['prefetch 10', 'settle b'])
    expect(lines.at(-1)).toMatchObject({ level: 'info', data: { mode: 'normal' } })
  })

  test('stays one after a delivery that was deferred, which has shown nothing', async () => {
    const { flow, done, handle } = await createCautiousFlow()
    handle('b', reason)
    expect(done()).toEqual(['settle b'])
    expect(flow.mode).toBe('cautious')
  })
})

describe('a paused flow', () => {
  test('stops the broker first, then defers what has not reached its handler, and lets the others end', async () => {
    const { flow, done, receive, begin, handle, reasons } = await createNormalFlow()
    receive('at work')
    begin('at work')
    receive('in a batch')
    receive('waiting', { ends: 2 })
    done()
    flow.pause(reason)
    expect(done()).toEqual(['prefetch 0', 'defer waiting', 'settle in a batch'])
    expect(reasons.slice(-2)).toEqual([reason, reason])
    await settle()
    expect([flow.inFlight, flow.prefetch]).toEqual([1, 0])
    handle('at work')
    await settle()
    expect(done()).toEqual(['settle at work'])
    expect(flow.inFlight).toBe(0)
  })

  test('defers what arrives unread', async () => {
    const { flow, done, receive, reasons } = await createNormalFlow()
    flow.pause(reason)
    receive('a', { body: '{' })
    expect(done()).toEqual(['prefetch 0', 'defer a'])
    expect(reasons.at(-1)).toBe(reason)
    await settle()
    expect([flow.inFlight, flow.received]).toEqual([0, 2])
  })

  test('goes by the last reason that it was given', async () => {
    const { flow, done, receive, reasons } = await createNormalFlow()
    flow.pause(reason)
    const another = new DeferError('the database cannot be used', { code: 'DATABASE_UNAVAILABLE' })
    flow.pause(another)
    receive('a')
    expect(done()).toEqual(['prefetch 0', 'defer a'])
    expect(reasons.at(-1)).toBe(another)
  })

  test('takes nothing when what was at work ends, or its channel is lost', async () => {
    const { flow, done, handle } = await createCautiousFlow()
    flow.pause(reason)
    handle('b')
    expect(done()).toEqual(['prefetch 0', 'prefetch 0', 'settle b'])
    flow.lose({ isUnreadable: false })
    expect(done()).toEqual(['prefetch 0'])
    expect(flow.mode).toBe('first')
  })
})

describe('a flow that is resumed', () => {
  async function createResumedFlow() {
    const created = await createNormalFlow()
    created.flow.pause(reason)
    created.flow.resume()
    return created
  }

  test('takes one at a time until one has been dealt with', async () => {
    const { flow, done, receive, handle } = await createResumedFlow()
    expect([flow.mode, flow.prefetch]).toEqual(['trial', 1])
    expect(done().at(-1)).toBe('prefetch 1')
    receive('a', { alone: true })
    expect(done()).toEqual(['take a', 'flush'])
    handle('a')
    expect(done()).toEqual(['prefetch 10', 'settle a'])
  })

  test('takes nothing more while a trial that has failed is settled: whoever hears of it may pause', async () => {
    const { flow, done, receive, handle, holdSettling } = await createResumedFlow()
    const { confirm } = holdSettling()
    receive('a', { alone: true })
    done()
    handle('a', reason)
    await settle()
    expect(done()).toEqual(['prefetch 0', 'settle a'])
    confirm()
    await settle()
    expect(done()).toEqual(['prefetch 1'])
    expect(flow.mode).toBe('trial')
  })

  test('takes nothing more after a failed trial if it was paused meanwhile', async () => {
    const { flow, done, receive, handle, holdSettling } = await createResumedFlow()
    const { confirm } = holdSettling()
    receive('a', { alone: true })
    handle('a', reason)
    flow.pause(reason)
    done()
    confirm()
    await settle()
    expect(done()).toEqual(['prefetch 0'])
  })

  test('is not held up by a deferral that came by the wide registration', async () => {
    const { flow, done, receive, begin, handle } = await createNormalFlow()
    receive('wide')
    begin('wide')
    flow.pause(reason)
    flow.resume()
    done()
    handle('wide', reason)
    await settle()
    expect(done()).toEqual(['settle wide'])
  })

  test('stays cautious if it was, and takes one at a time', async () => {
    const { flow, done, receive } = createFlow()
    receive('a', { ends: 1, alone: true })
    flow.pause(reason)
    flow.resume()
    expect([flow.mode, flow.prefetch]).toEqual(['cautious', 1])
    expect(done().at(-1)).toBe('prefetch 1')
  })

  test('hands on what arrives from then on', async () => {
    const { done, receive } = await createResumedFlow()
    done()
    receive('a', { alone: true })
    expect(done()).toEqual(['take a', 'flush'])
  })
})

describe('a flow whose channel is lost', () => {
  test('returns what has not reached its handler, which the broker gives to somebody else', async () => {
    const { flow, done, receive, begin, handle } = await createNormalFlow()
    receive('at work')
    begin('at work')
    receive('in a batch')
    receive('waiting', { ends: 2 })
    done()
    flow.lose({ isUnreadable: false })
    expect(done()).toEqual(['prefetch 1', 'return waiting', 'return in a batch'])
    await settle()
    expect([flow.inFlight, flow.mode]).toEqual([1, 'first'])
    handle('at work')
    await settle()
    expect(done()).toEqual(['settle at work'])
    expect(flow.inFlight).toBe(0)
  })

  test('does not wait for a handler that works on a lost delivery', async () => {
    const { flow, done, receive, begin } = await createNormalFlow()
    receive('lost')
    begin('lost')
    flow.lose({ isUnreadable: false })
    done()
    receive('isolated', { ends: 1, alone: true })
    expect(done()).toEqual(['prefetch 1', 'take isolated', 'flush'])
  })

  test('goes on with a trial', async () => {
    const { flow } = await createNormalFlow()
    flow.pause(reason)
    flow.resume()
    flow.lose({ isUnreadable: false })
    expect(flow.mode).toBe('trial')
  })
})

describe('a flow that is drained', () => {
  test('has its end at once if nothing is in flight', async () => {
    const { flow, done } = await createNormalFlow()
    await flow.drain()
    expect(done()).toEqual(['flush'])
  })

  test('hands on what waits for company, and ends when all is settled', async () => {
    const { flow, done, receive, handle, holdSettling } = await createNormalFlow()
    const { confirm } = holdSettling()
    let isDrained = false
    receive('a')
    receive('b')
    void flow.drain().then(() => {
      isDrained = true
    })
    expect(done()).toEqual(['take a', 'take b', 'flush'])
    handle('a')
    handle('b')
    await settle()
    expect([isDrained, flow.inFlight]).toEqual([false, 2])
    confirm()
    await settle()
    expect([isDrained, flow.inFlight]).toEqual([true, 0])
  })

  test('gives those their turn that wait for it', async () => {
    const { flow, done, receive, begin, handle } = await createNormalFlow()
    receive('a')
    begin('a')
    receive('isolated', { ends: 2 })
    const drained = flow.drain()
    done()
    handle('a')
    await settle()
    expect(done()).toEqual(['settle a', 'take isolated', 'flush'])
    handle('isolated')
    await drained
  })

  test('returns what arrives', async () => {
    const { flow, done, receive } = await createNormalFlow()
    void flow.drain()
    receive('a', { body: '{' })
    expect(done()).toEqual(['flush', 'return a'])
    await settle()
    expect(flow.inFlight).toBe(0)
  })

  test('asks the broker for no more when its last one has been dealt with', async () => {
    const { flow, done, handle } = await createCautiousFlow()
    void flow.drain()
    done()
    handle('b')
    expect(done()).toEqual(['settle b'])
  })

  test('ends also if its channel is lost, when the handlers do', async () => {
    const { flow, receive, begin, handle } = await createNormalFlow()
    receive('a')
    begin('a')
    receive('waiting', { ends: 2 })
    const drained = flow.drain()
    flow.lose({ isUnreadable: false })
    handle('a')
    await drained
    expect(flow.inFlight).toBe(0)
  })
})

describe('a flow that is aborted', () => {
  test('tells the handlers to stop, and returns everything that is in flight', async () => {
    const created = await createNormalFlow()
    const { flow, done, receive, begin, batched } = created
    receive('at work')
    begin('at work')
    receive('in a batch')
    receive('waiting', { ends: 2 })
    done()
    expect(created.handlerSignal?.aborted).toBe(false)
    flow.abort()
    expect(created.handlerSignal?.reason).toEqual(new Error('The consumer was closed.'))
    expect(done()).toEqual(['return at work', 'return in a batch', 'return waiting'])
    expect(batched()).toEqual([])
    await settle()
    expect(flow.inFlight).toBe(0)
  })

  test('hands on nothing more, whatever a handler does then', async () => {
    const { flow, done, receive, begin, handle } = await createNormalFlow()
    receive('at work')
    begin('at work')
    receive('waiting', { ends: 2 })
    flow.abort()
    done()
    handle('at work', new Error('told to stop'))
    await settle()
    // The settler knows that it is settled.
    expect(done()).toEqual(['settle at work'])
    receive('late')
    expect(done()).toEqual(['return late'])
  })

  test('while it is drained ends that', async () => {
    const { flow, receive } = await createNormalFlow()
    receive('a')
    const drained = flow.drain()
    flow.abort()
    await drained
  })
})
