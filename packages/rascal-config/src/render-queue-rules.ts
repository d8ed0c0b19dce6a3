import type { WorkQueue } from './work-queues.js'

/**
 * Recording rules of Prometheus that say how much each work queue holds, in messages and bytes, and how long a message lives there: the broker
 * exports none of it, and alerts compare with it.
 */
export function renderQueueRules(queues: readonly WorkQueue[]): string {
  const rules = queues.flatMap(({ name, maxLength, maxLengthBytes, ttlMs }) => [
    renderRule('queue:max_length', name, maxLength),
    renderRule('queue:max_length_bytes', name, maxLengthBytes),
    renderRule('queue:ttl_seconds', name, ttlMs / 1000),
  ])
  return `# Rendered from the topology by \`npm run generate\`.\ngroups:\n  - name: topology\n    rules:\n${rules.join('')}`
}

function renderRule(record: string, queue: string, value: number): string {
  return `      - record: ${record}\n        expr: vector(${value})\n        labels: { queue: ${queue} }\n`
}
