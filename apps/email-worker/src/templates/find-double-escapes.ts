import { Output, type Template, toValueSync, Value } from 'liquidjs'
import { lineBreakFilter } from './engines.js'

export interface DoubleEscape {
  /** Of a piece of the template, with the place where it stands. */
  token: Template['token']
  reason: string
}

const escaping = new Set(['escape', 'escape_once', 'xml_escape'])

/**
 * What would show `&amp;lt;` for `<`: everything that an HTML template outputs is escaped, so what has been escaped
 * before would be escaped again.
 */
export function* findDoubleEscapes(
  templates: readonly Template[],
  seen = new Set<Template>(),
): Generator<DoubleEscape> {
  for (const template of templates) {
    // A partial may render itself.
    if (seen.has(template)) continue
    seen.add(template)
    const { token } = template
    const tag = Reflect.get(token, 'name')
    const isOutput = template instanceof Output || tag === 'echo'
    for (const value of template.arguments?.() ?? []) {
      const reason = value instanceof Value ? findReason(value, { isOutput }) : undefined
      if (reason !== undefined) yield { token, reason }
    }
    const children = childrenOf(template)
    if (tag === 'capture' && children.some(hasOutput)) {
      yield { token, reason: 'captures what is escaped already, which would be escaped again; assign it, with append' }
    }
    yield* findDoubleEscapes(children, seen)
  }
}

function childrenOf(template: Template): Template[] {
  return template.children ? toValueSync(template.children(true, true)) : []
}

function hasOutput(template: Template): boolean {
  const isPartial = template.partialScope?.() !== undefined
  return template instanceof Output || (!isPartial && childrenOf(template).some(hasOutput))
}

function findReason({ filters }: Value, { isOutput }: { isOutput: boolean }): string | undefined {
  const names = filters.map(({ name }) => name)
  const twice = names.find((name) => escaping.has(name))
  if (twice !== undefined) return `uses "${twice}", but HTML is escaped as it is output: it would be escaped twice`
  const at = names.indexOf(lineBreakFilter)
  if (at === -1 || (isOutput && at === names.length - 1)) return undefined
  return `uses "${lineBreakFilter}" other than as the last filter of an output: what it makes would be escaped again`
}
