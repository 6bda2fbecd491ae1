using Millrace.Cql.Cluster;

namespace Millrace.Cql.Requests;

/// <summary>
/// The nodes that a request tries, in order: the replicas of its partition, those of the own rack first, then the other
/// nodes of the data centre. Where to begin goes round; of the first two replicas the less busy comes first, so that
/// a node that has become slow gets less.
/// </summary>
internal struct QueryPlan(ClusterView view, Replicas replicas, uint turn)
{
    private int _step;

    // As it was when the first was chosen: the second is the other one, however busy they are by then.
    private bool _swap;

    public CqlNode? Next()
    {
        if (_step < replicas.Nodes.Length) return Replica(_step++);
        while (_step < replicas.Nodes.Length + view.Local.Length)
        {
            var node = view.Local[(int)((turn + (uint)_step++) % (uint)view.Local.Length)];
            if (Array.IndexOf(replicas.Nodes, node) < 0) return node;
        }

        return null;
    }

    private CqlNode Replica(int step)
    {
        var near = replicas.InRack;
        if (step >= near) return Turned(near, replicas.Nodes.Length - near, step - near);
        if (near < 2 || step > 1) return Turned(0, near, step);
        var (first, second) = (Turned(0, near, 0), Turned(0, near, 1));
        if (step == 0) _swap = second.InFlight < first.InFlight;
        return (step == 0) ^ _swap ? first : second;
    }

    private readonly CqlNode Turned(int from, int count, int step) =>
        replicas.Nodes[from + (int)((turn + (uint)step) % (uint)count)];
}
