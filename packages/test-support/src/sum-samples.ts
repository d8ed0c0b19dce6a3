/**
 * The sum of all samples of a metric that have these labels, in the Prometheus text format. A metric without such a
 * sample is 0.
 */
export function sumSamples(text: string, name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  let sum = 0
  for (const [, sampleName, sampleLabels = '', value] of text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
    const found = sampleLabels.split(',')
    if (sampleName === name && wanted.every((label) => found.includes(label))) sum += Number(value)
  }
  return sum
}
