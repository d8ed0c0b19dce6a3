// @ts-check
import { readFileSync } from 'node:fs'

const everyMs = 20
/** Linux counts a process's time in hundredths of a second (`man 5 proc`, utime and stime). */
const tickMs = 10

/**
 * Watches how much processor time a process has used. Linux only; elsewhere nothing is known.
 * @param {number | undefined} pid
 */
export function watchCpu(pid) {
  /** @type {{ at: number, cpuMs: number }[]} */
  const samples = []
  const sample = () => {
    const cpuMs = readCpuMs(pid)
    if (cpuMs !== undefined) samples.push({ at: Date.now(), cpuMs })
  }
  sample()
  const timer = setInterval(sample, everyMs).unref()
  return {
    stop: () => clearInterval(timer),
    /**
     * @param {number} from milliseconds since 1970
     * @param {number} to
     * @returns {number | undefined} milliseconds of processor time between the two
     */
    usedBetween(from, to) {
      const first = samples.findLast(({ at }) => at <= from)
      const last = samples.find(({ at }) => at >= to) ?? samples.at(-1)
      return first && last && last.cpuMs - first.cpuMs
    },
  }
}

/** @param {number | undefined} pid */
function readCpuMs(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the command may hold blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * tickMs
  } catch {
    return undefined
  }
}
