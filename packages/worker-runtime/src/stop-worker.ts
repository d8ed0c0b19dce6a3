import { settleWithin } from '@mono/waiting'
import type { Shutdown } from './shutdown.js'
import { within } from './within.js'
import type { Worker } from './worker.js'

export interface StopWorkerOptions {
  worker: Worker
  /** Settles when the start is over. Never rejects. */
  broughtUp: Promise<void>
  /** For each step after the work in flight: none should take long, and none may hold up the end. Default 3000. */
  stepLimitMs?: number
}

/**
 * Stops a worker, in this order: take no more and finish what is in flight; past the grace period give back the rest;
 * the worker's own end; flush the publisher; release all. A step that fails or takes too long makes the exit code 1
 * and does not keep the others from being tried.
 */
export async function stopWorker({ worker, broughtUp, stepLimitMs = 3000 }: StopWorkerOptions): Promise<void> {
  const { state, shutdown, resources, logger, started } = worker
  const attempt = createAttempt(shutdown)
  const createError = () => new Error(`It was expected to take at most ${stepLimitMs} ms, but is still not done`)
  const inTime = async (step: Promise<unknown> | undefined) => {
    if (step !== undefined) await settleWithin(step, { ms: stepLimitMs, createError })
    return true
  }
  state.change('draining')

  // A start that still waits for the broker has a consumer that only the client knows; draining it ends the wait.
  const drainable = started.running?.consumer ?? started.messageQueue
  const inFlight = countInFlight(worker)
  const drained = await attempt('Draining', () =>
    within(Promise.all([drainable?.drain(), broughtUp]), shutdown.remainingMs()),
  )
  if (drained) {
    logger.info({ inFlight }, 'Everything in flight is finished')
  } else {
    logger.warn({ inFlight: countInFlight(worker) }, 'The grace period is over; giving back what is not finished')
    await attempt('Giving back what is in flight', () => inTime(Promise.all([drainable?.close(), broughtUp])))
  }

  // Looked up only now: a start that was under way may have ended meanwhile.
  await attempt('Stopping the worker’s own parts', () => inTime(started.running?.stop?.()))
  await attempt('Flushing the publisher', () => inTime(started.messageQueue?.drain()))
  await attempt('Releasing the resources', () => inTime(resources.releaseAll()))

  state.change(shutdown.exitCode === 0 ? 'stopped' : 'failed')
}

/** Runs one step; false if it failed. The failure is logged and makes the exit code 1. */
function createAttempt(shutdown: Shutdown) {
  return async (name: string, step: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await step()
    } catch (error) {
      shutdown.request({ reason: `${name} failed`, error })
      return false
    }
  }
}

function countInFlight({ started }: Worker): number {
  if (started.running) return started.running.consumer.inFlight
  return started.messageQueue?.health().consumers.reduce((sum, consumer) => sum + consumer.inFlight, 0) ?? 0
}
