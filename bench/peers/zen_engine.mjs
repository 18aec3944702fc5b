// @gorules/zen-engine: a decision table for each owner and kind of change, which collects the rules whose expression
// holds. Its comparisons refuse null and take no text, so that they are asked after null, and dates are numbers
// (20260131), made of the event's texts as part of reading it.
import { ZenEngine } from '@gorules/zen-engine'
import { dateNumber, fields, rulesByOwner, run, typeOf } from './harness.mjs'

const text = JSON.stringify

function expression (node) {
  if (node.and) return node.and.map((part) => `(${expression(part)})`).join(' and ')
  if (node.or) return node.or.map((part) => `(${expression(part)})`).join(' or ')
  if (node.not) return `not (${expression(node.not)})`
  const name = node.field
  if ('is' in node) return `${name} == ${text(node.is)}`
  if ('oneOf' in node) return `${name} in ${text(node.oneOf)}`
  if ('startsWith' in node) return `${name} != null and startsWith(${name}, ${text(node.startsWith)})`
  if ('isBlank' in node) return `${name} == null`
  if ('isTrue' in node) return `${name} == true`
  const value = (given) => typeOf[name] === 'date' ? dateNumber(given) : given
  return 'atLeast' in node ? `${name} != null and ${name} >= ${value(node.atLeast)}` : `${name} != null and ${name} <= ${value(node.atMost)}`
}

const engine = new ZenEngine()

function decisionOf (rules) {
  const table = {
    hitPolicy: 'collect',
    inputs: [{ id: 'holds', name: 'holds' }],
    outputs: [{ id: 'rule', name: 'rule', field: 'rule' }],
    rules: rules.map(({ rule, if: node }) => ({ _id: `r${rule}`, holds: expression(node), rule: String(rule) }))
  }
  const position = { x: 0, y: 0 }
  return engine.createDecision({
    nodes: [
      { id: 'event', type: 'inputNode', name: 'event', position },
      { id: 'rules', type: 'decisionTableNode', name: 'rules', position, content: table },
      { id: 'found', type: 'outputNode', name: 'found', position }
    ],
    edges: [
      { id: 'in', sourceId: 'event', targetId: 'rules', type: 'edge' },
      { id: 'out', sourceId: 'rules', targetId: 'found', type: 'edge' }
    ]
  })
}

const decisions = new Map()
const shards = await rulesByOwner()
for (const [owner, rules] of shards) {
  const of = (kind) => decisionOf(rules.filter((rule) => rule.on.includes(kind)))
  decisions.set(owner, { create: of('create'), update: of('update') })
  shards.set(owner, null)
}

await run('zen-engine', async ({ kind, set }, found) => {
  const decision = decisions.get(decisions.has(undefined) ? undefined : set.OwnerId)
  if (!decision) return
  const context = {}
  for (const { name, type } of fields) {
    const value = set[name]
    context[name] = type === 'date' && value !== null ? dateNumber(value) : value
  }
  const { result } = await decision[kind].evaluate(context)
  for (const { rule } of result ?? []) found.push(rule)
})
