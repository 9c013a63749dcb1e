namespace ModelDsl.Fuzz;

/// <summary>Makes an input small while it still shows the same fault: takes out halves, quarters, … single bytes.</summary>
internal static class Shrinking
{
    private const int MostTries = 3000;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    public static byte[] Shrink(byte[] input, Func<byte[], bool> isSame)
    {
        var (tries, clock) = (0, System.Diagnostics.Stopwatch.StartNew());
        for (var size = Math.Max(1, input.Length / 2); ; size /= 2)
        {
            for (var at = 0; at < input.Length && tries < MostTries && clock.Elapsed < Longest;)
            {
                byte[] without = [.. input.AsSpan(0, at), .. input.AsSpan(Math.Min(input.Length, at + size))];
                tries++;
                if (isSame(without)) input = without;
                else at += size;
            }

            if (size <= 1) return input;
        }
    }
}
