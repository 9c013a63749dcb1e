using System.Globalization;
using ModelDsl.Cli.Input;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Cli.Execution;

/// <summary><c>X</c>, <c>X,Y</c> or <c>X,Y,Z</c> of a command line.</summary>
internal static class Dimensions
{
    // Four blocks a cluster may have everywhere, sixteen where the kernel allows it.
    private const int MostBlocksInCluster = 16;

    /// <exception cref="TroubleException">These are not one to three whole numbers from 1 up.</exception>
    public static Dim3 Parse(string option, string text)
    {
        var parts = text.Split(',', 'x');
        var sizes = new[] { 1, 1, 1 };
        if (parts.Length > 3) throw TroubleException.Usage($"{option} {text}: at most three numbers are expected, as in 4,2,1");
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out sizes[i]) || sizes[i] < 1)
                throw TroubleException.Usage($"{option} {text}: '{parts[i]}' is not a whole number from 1 to {int.MaxValue}");
        }
        return new Dim3(sizes[0], sizes[1], sizes[2]);
    }

    /// <exception cref="TroubleException">The grid does not fall into such clusters, or one is too large.</exception>
    public static void CheckCluster(Dim3 grid, Dim3 cluster)
    {
        if (grid.X % cluster.X != 0 || grid.Y % cluster.Y != 0 || grid.Z % cluster.Z != 0)
            throw TroubleException.Usage($"a grid of {grid} blocks does not fall into clusters of {cluster}");
        if (cluster.Count > MostBlocksInCluster)
            throw TroubleException.Usage($"a cluster of {cluster} has {cluster.Count} blocks; {MostBlocksInCluster} is the most");
    }
}
