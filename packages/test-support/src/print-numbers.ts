/** One line on standard output, past the test runner: what a run has measured is part of its log. */
export function printNumbers(title: string, numbers: Record<string, unknown>): void {
  const text = Object.entries(numbers).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  process.stdout.write(`[${title}] ${text.join(' ')}\n`)
}
