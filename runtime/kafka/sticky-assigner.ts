import type { Assigner, PartitionAssigner } from 'kafkajs';
import { kafkajs } from './kafkajs.js';

/**
 * Gives each member a fair share and leaves it what it holds, because a moved partition is a restored one.
 * kafkajs rebalances eagerly, all members stop and join again: what they hold travels in their join request.
 */
export function stickyAssigner(owned: () => readonly number[]): PartitionAssigner {
  return ({ cluster }): Assigner => ({
    name: 'tidemark-sticky',
    version: 1,
    protocol: ({ topics }) => ({
      name: 'tidemark-sticky',
      metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.from(JSON.stringify(owned())) }),
    }),
    async assign({ members, topics }) {
      const holdings = members.map(({ memberId, memberMetadata }) => ({ memberId, owned: readOwned(memberMetadata) }));
      return [...holdings.map(({ memberId }) => memberId)].map((memberId) => ({
        memberId,
        memberAssignment: kafkajs.AssignerProtocol.MemberAssignment.encode({
          version: 1,
          assignment: Object.fromEntries(topics.map((topic) => [topic,
            distribute(holdings, cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)).get(memberId) ?? []])),
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

function readOwned(metadata: Buffer): number[] {
  try {
    const owned: unknown = JSON.parse(kafkajs.AssignerProtocol.MemberMetadata.decode(metadata)?.userData?.toString() || '[]');
    return Array.isArray(owned) ? owned.filter(Number.isInteger) as number[] : [];
  } catch {
    return []; // a member that says nothing readable holds nothing
  }
}

/**
 * Deterministic in the member ids: every partition to exactly one member, shares differ by at most one, and a member
 * keeps of its own as many as its share allows.
 */
export function distribute(members: readonly { memberId: string; owned: readonly number[] }[], partitions: readonly number[]): Map<string, number[]> {
  const sorted = [...members].sort((a, b) => (b.owned.length - a.owned.length) || (a.memberId < b.memberId ? -1 : 1));
  const free = new Set([...partitions].sort((a, b) => a - b));
  const shares = new Map<string, number[]>();
  const least = Math.floor(partitions.length / sorted.length);
  let larger = partitions.length % sorted.length;
  const quota = new Map<string, number>();
  for (const { memberId, owned } of sorted) {
    const size = least + (larger > 0 ? 1 : 0);
    if (larger > 0) larger--;
    quota.set(memberId, size);
    const kept = [...owned].sort((a, b) => a - b).filter((partition) => free.has(partition)).slice(0, size);
    for (const partition of kept) free.delete(partition);
    shares.set(memberId, kept);
  }
  const rest = free.values();
  for (const { memberId } of sorted) {
    const share = shares.get(memberId)!;
    while (share.length < quota.get(memberId)!) share.push(rest.next().value!);
    share.sort((a, b) => a - b);
  }
  return shares;
}
