// @ts-check
/** Steps shorter than this are not shown. */
const quietMs = 2000

/** @type {Map<string, number>} what is going on, and since when */
const running = new Map()
/** @type {NodeJS.Timeout | undefined} */
let ticker

const interactive = () => process.stderr.isTTY === true
const seconds = (/** @type {number} */ since) => Math.floor((performance.now() - since) / 1000)

function clearLine() {
  if (interactive()) process.stderr.write('\r\x1b[K')
}

function draw() {
  const shown = [...running].filter(([, since]) => performance.now() - since >= quietMs)
  if (!interactive() || shown.length === 0) return
  const text = shown.map(([what, since]) => `${what} … ${seconds(since)} s`).join(', ')
  process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`)
}

/**
 * Prints one line for people, on stderr: stdout belongs to `--env`.
 * @param {string} line
 */
export function say(line) {
  clearLine()
  process.stderr.write(`${line}\n`)
  draw()
}

/**
 * Runs `work` and shows what is going on, with the seconds elapsed, as soon as it takes longer than two seconds.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(what, work) {
  const since = performance.now()
  running.set(what, since)
  const announce = setTimeout(() => {
    if (!interactive()) say(`${what} …`)
  }, quietMs)
  ticker ??= setInterval(draw, 1000)
  const end = () => {
    clearTimeout(announce)
    running.delete(what)
    clearLine()
    if (running.size === 0) {
      clearInterval(ticker)
      ticker = undefined
    }
  }
  try {
    const result = await work()
    end()
    if (performance.now() - since >= quietMs) say(`${what}: ${((performance.now() - since) / 1000).toFixed(1)} s`)
    return result
  } finally {
    end()
  }
}
