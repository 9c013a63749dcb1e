namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>The findings of a device, each cause once.</summary>
internal sealed class FindingLog
{
    private readonly List<Finding> _findings = [];
    private readonly HashSet<(FindingKind, string, CodePlace, CodePlace?)> _causes = [];

    public Finding[] ToArray()
    {
        lock (_findings) return _findings.ToArray();
    }

    /// <summary>False where this cause is known already.</summary>
    public bool Add(Finding finding)
    {
        lock (_findings)
        {
            if (!_causes.Add((finding.Kind, finding.Kernel, finding.At, finding.Other))) return false;
            _findings.Add(finding);
            return true;
        }
    }
}
