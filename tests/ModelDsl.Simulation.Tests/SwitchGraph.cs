namespace ModelDsl.Simulation.Tests;

/// <summary>A network as a graph, switch by switch and link by link: the reference for what is computed in closed form.</summary>
internal sealed class SwitchGraph
{
    private readonly List<List<int>> _links = [];
    private readonly HashSet<int> _endpoints = [];

    public int LinkCount { get; private set; }

    public int Endpoints => _endpoints.Count;

    public int Switches => _links.Count - _endpoints.Count;

    public static SwitchGraph FatTree(int radix)
    {
        var (graph, half) = (new SwitchGraph(), radix / 2);
        var leaves = Enumerable.Range(0, radix).Select(_ => graph.Switch()).ToArray();
        var tops = Enumerable.Range(0, half).Select(_ => graph.Switch()).ToArray();
        foreach (var leaf in leaves)
        {
            foreach (var top in tops) graph.Link(leaf, top);
            for (var i = 0; i < half; i++) graph.Endpoint(leaf);
        }
        return graph;
    }

    public static SwitchGraph FatTree3(int radix)
    {
        var (graph, half) = (new SwitchGraph(), radix / 2);
        var cores = Enumerable.Range(0, half * half).Select(_ => graph.Switch()).ToArray();
        for (var pod = 0; pod < radix; pod++)
        {
            var middles = Enumerable.Range(0, half).Select(_ => graph.Switch()).ToArray();
            for (var m = 0; m < half; m++)
                for (var c = 0; c < half; c++) graph.Link(middles[m], cores[m * half + c]);
            for (var l = 0; l < half; l++)
            {
                var leaf = graph.Switch();
                foreach (var middle in middles) graph.Link(leaf, middle);
                for (var i = 0; i < half; i++) graph.Endpoint(leaf);
            }
        }
        return graph;
    }

    /// <summary>Groups with one link between any two, spread over their switches.</summary>
    public static SwitchGraph Dragonfly(int endpoints, int groupSwitches, int globalLinks)
    {
        var (graph, groups) = (new SwitchGraph(), groupSwitches * globalLinks + 1);
        var switches = Enumerable.Range(0, groups * groupSwitches).Select(_ => graph.Switch()).ToArray();
        for (var g = 0; g < groups; g++)
        {
            for (var a = 0; a < groupSwitches; a++)
            {
                for (var i = 0; i < endpoints; i++) graph.Endpoint(switches[g * groupSwitches + a]);
                for (var b = a + 1; b < groupSwitches; b++) graph.Link(switches[g * groupSwitches + a], switches[g * groupSwitches + b]);
            }
            for (var other = g + 1; other < groups; other++)
                graph.Link(switches[g * groupSwitches + (other - 1) / globalLinks], switches[other * groupSwitches + g / globalLinks]);
        }
        return graph;
    }

    /// <summary>McKay, Miller and Siran's graph for a prime of the form 4w + 1.</summary>
    public static SwitchGraph SlimFly(int q, int endpoints)
    {
        var graph = new SwitchGraph();
        var switches = Enumerable.Range(0, 2 * q * q).Select(_ => graph.Switch()).ToArray();
        var squares = Enumerable.Range(1, q - 1).Select(x => x * x % q).ToHashSet();
        foreach (var s in switches)
            for (var i = 0; i < endpoints; i++) graph.Endpoint(s);
        for (var x = 0; x < q; x++)
            for (var y = 0; y < q; y++)
            {
                for (var z = y + 1; z < q; z++) graph.Link(switches[(squares.Contains(z - y) ? 0 : q * q) + x * q + y], switches[(squares.Contains(z - y) ? 0 : q * q) + x * q + z]);
                for (var m = 0; m < q; m++) graph.Link(switches[x * q + y], switches[q * q + m * q + (((y - m * x) % q) + q) % q]);
            }
        return graph;
    }

    public void Remove(int node)
    {
        foreach (var other in _links[node].ToArray()) Unlink(node, other);
    }

    public void Unlink(int a, int b)
    {
        _links[a].Remove(b);
        _links[b].Remove(a);
        LinkCount--;
    }

    /// <summary>Most switches on a shortest path between two switches.</summary>
    public int Diameter() => Enumerable.Range(0, _links.Count).Where(node => !_endpoints.Contains(node))
        .Max(from => Distances(from).Where((_, node) => !_endpoints.Contains(node)).Max()) + 1;

    /// <summary>Endpoints that an endpoint reaches, itself included.</summary>
    public int Reached(int endpoint) => Distances(endpoint).Where((distance, node) => distance < int.MaxValue && _endpoints.Contains(node)).Count();

    public int[] EndpointsOf(int node) => [.. _links[node].Where(_endpoints.Contains)];

    /// <summary>How many of the sources can send at full rate to distinct endpoints elsewhere at once: a maximum flow over unit links.</summary>
    public int Flow(int[] sources)
    {
        var used = new HashSet<(int, int)>();
        var taken = new HashSet<int>(sources);
        return sources.Count(source => Augment(source, taken, used));
    }

    private bool Augment(int source, HashSet<int> taken, HashSet<(int, int)> used)
    {
        var from = new Dictionary<int, int> { [source] = -1 };
        var queue = new Queue<int>([source]);
        while (queue.TryDequeue(out var node))
        {
            if (_endpoints.Contains(node) && !taken.Contains(node))
            {
                taken.Add(node);
                for (var at = node; from[at] >= 0; at = from[at])
                    if (!used.Remove((at, from[at]))) used.Add((from[at], at));
                return true;
            }
            foreach (var next in _links[node].Where(next => !from.ContainsKey(next) && !used.Contains((node, next))))
            {
                from[next] = node;
                queue.Enqueue(next);
            }
        }
        return false;
    }

    private int[] Distances(int start)
    {
        var distances = Enumerable.Repeat(int.MaxValue, _links.Count).ToArray();
        distances[start] = 0;
        var queue = new Queue<int>([start]);
        while (queue.TryDequeue(out var node))
            foreach (var next in _links[node].Where(next => distances[next] == int.MaxValue))
            {
                distances[next] = distances[node] + 1;
                queue.Enqueue(next);
            }
        return distances;
    }

    private int Switch()
    {
        _links.Add([]);
        return _links.Count - 1;
    }

    private void Endpoint(int at)
    {
        var endpoint = Switch();
        _endpoints.Add(endpoint);
        _links[at].Add(endpoint);
        _links[endpoint].Add(at);
    }

    private void Link(int a, int b)
    {
        _links[a].Add(b);
        _links[b].Add(a);
        LinkCount++;
    }
}
