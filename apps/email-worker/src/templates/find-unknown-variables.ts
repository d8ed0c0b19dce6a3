import type { Liquid, Template, Variable } from 'liquidjs'
import { type ObjectSchema, providedVariable } from './template-schema.js'

/**
 * The variables that a template takes from its data, through layout and partials, and that the schema does not have.
 * Properties are followed as far as the schema describes them; those of a loop's variable are not, only rendering the
 * examples shows them.
 *
 * @throws whatever LiquidJS throws if a layout or partial cannot be found or parsed
 */
export function findUnknownVariables(engine: Liquid, template: Template[], schema: ObjectSchema): Variable[] {
  const { globals } = engine.analyzeSync(template)
  return Object.values(globals)
    .flat()
    .filter(({ segments }) => segments[0] !== providedVariable && !isKnown({ properties: {}, ...schema }, segments))
}

function isKnown({ type, properties, items }: ObjectSchema, [segment, ...rest]: Variable['segments']): boolean {
  if (segment === undefined) return true
  // A computed name, such as `prices[currency]`.
  if (typeof segment === 'object') return true
  if (items !== undefined) {
    if (segment === 'size') return rest.length === 0
    return (typeof segment === 'number' || segment === 'first' || segment === 'last') && isKnown(items, rest)
  }
  // The schema says no more about it, so anything may be there.
  if (properties === undefined)
    return type === undefined || type === 'object' || (type === 'string' && segment === 'size')
  const property = Object.hasOwn(properties, segment) ? properties[segment] : undefined
  return property !== undefined && isKnown(property, rest)
}
