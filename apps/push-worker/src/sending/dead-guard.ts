import type { Logger } from '@mono/message-queue'
import type { Channel } from '../device.js'

export interface DeadGuardOptions {
  channel: Channel
  logger: Logger
  /** Milliseconds since 1970. */
  now?: () => number
}

/**
 * Doubts a channel that calls too many devices dead: then a host, a topic or a key is wrong, and not the devices.
 * Whoever was not disabled is found again by the next notification.
 */
export interface DeadGuard {
  /** Too many of the answers of the last minute were "dead". */
  readonly doubts: boolean
  /** Notes an answer. True if the device is dead and its channel is to be believed. */
  believes(answer: { isDead: boolean }): boolean
}

const windowSeconds = 60

/** Fewer may be the devices of a few users who have all left. */
const deadToDoubt = 20

/** Most of a channel's devices that may be dead. */
const deadShare = 1 / 5

/** Answers of one second. */
interface Bucket {
  second: number
  answers: number
  dead: number
}

export function createDeadGuard({ channel, logger, now = Date.now }: DeadGuardOptions): DeadGuard {
  /** The oldest first. */
  const buckets: Bucket[] = []
  let answers = 0
  let dead = 0
  let saidAtSecond: number | undefined

  function forgetOld(second: number): void {
    for (let [oldest] = buckets; oldest && oldest.second <= second - windowSeconds; [oldest] = buckets) {
      buckets.shift()
      answers -= oldest.answers
      dead -= oldest.dead
    }
  }

  function note(second: number, isDead: boolean): void {
    let bucket = buckets.at(-1)
    if (bucket?.second !== second) {
      bucket = { second, answers: 0, dead: 0 }
      buckets.push(bucket)
    }
    bucket.answers += 1
    answers += 1
    if (!isDead) return
    bucket.dead += 1
    dead += 1
  }

  /** A share that is a fifth in the end may be more for a while: twice the standard deviation is allowed. */
  function isTooMuch(): boolean {
    const chance = 2 * Math.sqrt(answers * deadShare * (1 - deadShare))
    return dead > deadToDoubt && dead > answers * deadShare + chance
  }

  function say(second: number): void {
    if (saidAtSecond !== undefined && second < saidAtSecond + windowSeconds) return
    saidAtSecond = second
    logger.error(
      { channel, answers, dead },
      'More than a fifth of the devices of a channel are called dead: no more of them are disabled. See whether its host, topic and key are right',
    )
  }

  const toSecond = () => Math.floor(now() / 1000)

  return {
    get doubts() {
      forgetOld(toSecond())
      return isTooMuch()
    },
    believes({ isDead }) {
      const second = toSecond()
      forgetOld(second)
      note(second, isDead)
      if (!isDead) return false
      if (!isTooMuch()) return true
      say(second)
      return false
    },
  }
}
