using ModelDsl.Runtime.Devices;

namespace ModelDsl.Conformance;

/// <summary>The table as text: one line per row, a total, an exit code.</summary>
public static class Report
{
    /// <returns>0 if every row passed on every device that has its form; else 1.</returns>
    public static int Print(TextWriter output, IReadOnlyList<IDevice> devices, IEnumerable<Row> rows)
    {
        foreach (var device in devices) output.WriteLine($"{device.Name}, {device.Target}");
        output.WriteLine($"{"form",-72} {"cells",8}  result");
        var (count, failed, left) = (0, 0, 0);
        foreach (var row in rows)
        {
            var data = row.Case();
            var outputs = new List<byte[]>();
            var texts = new List<string>();
            var passed = true;
            foreach (var device in devices)
            {
                if (Capability(device) < row.Capability)
                {
                    texts.Add($"needs sm_{row.Capability}");
                    continue;
                }
                var outcome = Try(device, row, data, outputs);
                passed &= outcome.Passed;
                texts.Add(outcome.Text(data.Bound));
            }
            if (outputs.Count == 2) texts.Add($"{Outcome.Differences(data, outputs[0], outputs[1])} cells differ");
            if (outputs.Count == 0 && passed) left++;
            count++;
            if (!passed) failed++;
            output.WriteLine($"{row.Name,-72} {data.Expected.Length,8}  {string.Join(" | ", texts)}");
        }
        output.WriteLine($"{count} rows, {count - failed - left} passed, {failed} failed, {left} not run");
        return failed == 0 ? 0 : 1;
    }

    private static Outcome Try(IDevice device, Row row, Case data, List<byte[]> outputs)
    {
        try
        {
            outputs.Add(Runner.Run(device, row, data));
            return Outcome.Of(data, outputs[^1]);
        }
        catch (DeviceException trouble)
        {
            return new Outcome(data.Expected.Length, 0, 0, trouble.Message.Split('\n')[0]);
        }
    }

    /// <summary>90 of <c>sm_90a</c>.</summary>
    private static int Capability(IDevice device) => int.Parse(device.Target.AsSpan(3).TrimEnd('a'));
}
