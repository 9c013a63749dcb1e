namespace ModelDsl.Ptx.Instructions;

/// <summary>
/// Three rewrites that let kernels be written plainly: a snapshot of a variable is read from the variable where nothing wrote it since; a
/// result copied to a variable is computed there; what nobody reads is dropped.
/// </summary>
internal static class Cleanup
{
    public static IReadOnlyList<Statement> Run(IReadOnlyList<Statement> statements)
    {
        var list = statements.ToList();
        ForwardCopies(list);
        DropUnused(list);
        ComputeInPlace(list);
        DropUnused(list);
        return list;
    }

    private static bool IsCopy(Instruction i, out Register to, out Register from)
    {
        (to, from) = (default, default);
        if (i.Opcode != "mov" || i.Guard is not null) return false;
        if (i.Sources[0] is not RegisterOperand source || i.Destinations[0] is not RegisterOperand target) return false;
        (to, from) = (target.Register, source.Register);
        return to.Class == from.Class;
    }

    /// <summary>
    /// Within straight-line code: reads of a snapshot become reads of its variable while that is not written. A copy to a variable is left
    /// alone: its value is to be computed in place.
    /// </summary>
    private static void ForwardCopies(List<Statement> list)
    {
        var (_, writes) = Count(list);
        var original = new Dictionary<Register, Register>();
        for (var n = 0; n < list.Count; n++)
        {
            if (list[n] is Label or Instruction { Opcode: "bra" }) { Rename(); original.Clear(); continue; }
            Rename();
            if (list[n] is not Instruction now) continue;
            foreach (var written in now.Writes)
            {
                original.Remove(written);
                foreach (var stale in original.Where(o => o.Value == written).Select(o => o.Key).ToList()) original.Remove(stale);
            }

            if (IsCopy(now, out var to, out var from) && to != from && writes[to] == 1) original[to] = from;

            void Rename()
            {
                if (original.Count > 0 && list[n] is Instruction i && i.Reads.Any(original.ContainsKey))
                    list[n] = i.WithReads(r => original.TryGetValue(r, out var o) ? o : r);
            }
        }
    }

    /// <summary><c>t = …; v = t</c> becomes <c>v = …</c> where t has no other reader and v is untouched in between.</summary>
    private static void ComputeInPlace(List<Statement> list)
    {
        var (reads, writes) = Count(list);
        var definedAt = new Dictionary<Register, int>();
        var lastTouched = new Dictionary<Register, int>();
        for (var n = 0; n < list.Count; n++)
        {
            if (list[n] is Label or Instruction { Opcode: "bra" }) { definedAt.Clear(); }
            if (list[n] is not Instruction i) continue;
            if (IsCopy(i, out var to, out var from) && reads[from] == 1 && writes[from] == 1 && definedAt.TryGetValue(from, out var at)
                && (!lastTouched.TryGetValue(to, out var touched)
                    || touched < at
                    || (touched == at && !((Instruction)list[at]).Writes.Contains(to))))
            {
                list[at] = ((Instruction)list[at]).WithWrites(r => r == from ? to : r);
                list[n] = new Blank();
                lastTouched[to] = at;
                definedAt.Remove(from);
                continue;
            }

            foreach (var register in i.Reads) lastTouched[register] = n;
            foreach (var register in i.Writes)
            {
                lastTouched[register] = n;
                if (i.Guard is null) definedAt[register] = n;
            }
        }

        // A removed copy leaves a blank; real blanks stand before comments only.
        for (var n = list.Count - 1; n >= 0; n--)
            if (list[n] is Blank && (n + 1 >= list.Count || list[n + 1] is not Comment)) list.RemoveAt(n);
    }

    private static void DropUnused(List<Statement> list)
    {
        var (reads, _) = Count(list);
        for (var changed = true; changed;)
        {
            changed = false;
            for (var n = list.Count - 1; n >= 0; n--)
            {
                if (list[n] is not Instruction { Effect: not Effect.Writes } i || i.Destinations.Count == 0) continue;
                var own = i.Reads.ToList();
                // An accumulator that only feeds itself is unused too.
                if (i.Writes.Any(w => reads.TryGetValue(w, out var c) && c > own.Count(r => r == w))) continue;
                foreach (var register in own) reads[register]--;
                list.RemoveAt(n);
                changed = true;
            }
        }
    }

    private static (Dictionary<Register, int> Reads, Dictionary<Register, int> Writes) Count(List<Statement> list)
    {
        var (reads, writes) = (new Dictionary<Register, int>(), new Dictionary<Register, int>());
        foreach (var i in list.OfType<Instruction>())
        {
            foreach (var register in i.Reads) reads[register] = reads.TryGetValue(register, out var c) ? c + 1 : 1;
            foreach (var register in i.Writes) writes[register] = writes.TryGetValue(register, out var c) ? c + 1 : 1;
        }

        return (reads, writes);
    }
}
