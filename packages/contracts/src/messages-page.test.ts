import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { examples, limits, messageTypes, parsePayload, routingKeysByType, serializePayload } from './index.js'

const page = readFileSync(new URL('../../../docs/messages.md', import.meta.url), 'utf8')
const sections = new Map(page.split(/^## /m).map((section) => [section.slice(0, section.indexOf('\n')), section]))

function sectionOf(heading: string): string {
  const section = sections.get(heading)
  if (section === undefined) throw new Error(`docs/messages.md: expected a section "## ${heading}", found none`)
  return section
}

function firstColumn(section: string): (string | undefined)[] {
  return [...section.matchAll(/^\| `(\w+)` \|/gm)].map((row) => row[1])
}

describe('docs/messages.md', () => {
  test.each(messageTypes)('shows the example of %s as it goes over the wire', (type) => {
    const json = /```json\n([\s\S]+?)```/.exec(sectionOf(`\`${type}\``))?.[1] ?? ''
    expect(JSON.parse(json)).toEqual(JSON.parse(serializePayload(type, examples[type])))
    expect(parsePayload(type, JSON.parse(json))).toEqual(examples[type])
  })

  test.each(messageTypes)('lists the fields of %s', (type) => {
    expect(firstColumn(sectionOf(`\`${type}\``))).toEqual(Object.keys(examples[type]))
  })

  test.each(messageTypes)('lists the routing keys of %s', (type) => {
    const line = /^Routing keys: (.+)$/m.exec(sectionOf(`\`${type}\``))?.[1] ?? ''
    expect(line.split(', ')).toEqual(routingKeysByType[type].map((routingKey) => `\`${routingKey}\``))
  })

  test('lists every limit with its value', () => {
    const rows = sectionOf('Kinds of value').matchAll(/\| ([\d,]+)(?: \w+)? \| `(\w+)` \|/g)
    const listed = [...rows].map(([, value, name]) => [name, Number(value?.replaceAll(',', ''))])
    const { maxTenantId, maxIssues, ...onPage } = limits
    expect(Object.fromEntries(listed)).toEqual(onPage)
  })
})
