using System.Runtime.InteropServices;

namespace ModelDsl.Runtime.Models;

// Drafts: steps of the MTP module behind those of the model, which the text's generator plays.
public abstract partial class CausalLanguageModel
{
    /// <summary>Rows of logits that the MTP module's last step left on the device.</summary>
    public int DraftLogitRows { get; private set; }

    /// <summary>Copies the first rows of the MTP module's last logits to the host, f32 [rows, vocabulary].</summary>
    /// <exception cref="ModelException">There are not so many.</exception>
    public void ReadDraftLogits(Span<float> destination)
    {
        if (destination.Length / Layout.Vocabulary > DraftLogitRows)
            throw new ModelException(
                $"The last step of the MTP module left {DraftLogitRows} rows of logits, not {destination.Length / Layout.Vocabulary}.");
        Stream.Download(Drafts.Logits, MemoryMarshal.AsBytes(destination));
    }

    /// <summary>Runs the module on the first rows of the last prefill step: which token follows each is known.</summary>
    /// <param name="first">Position of the step's first token.</param>
    /// <param name="next">The token after each row.</param>
    internal void DraftPrefill(Session session, int first, ReadOnlySpan<int> next, bool allLogits)
    {
        DraftLogitRows = allLogits ? next.Length : 1;
        var step = UploadPrefill(session, first, next, DraftLogitRows) with
        {
            PreviousHidden = Drafts.Hidden,
            Hidden = Drafts.DraftHidden,
            Logits = Drafts.Logits,
        };
        PlayMtpPrefill(step);
        (session.DraftedLength, Taps) = (first + next.Length, MtpPrefillTaps(step));
    }

    /// <summary>Runs the module on rows of the model's last step, or on a row that the module itself left, and takes its best token.</summary>
    /// <param name="sessions">The sequence, once for each row.</param>
    /// <param name="first">Position of the first row.</param>
    /// <param name="next">The token after each row.</param>
    /// <param name="row">The first row among those of the step that left it.</param>
    /// <param name="ofModule">The row is the module's own.</param>
    /// <returns>What the module expects after the last of <paramref name="next"/>.</returns>
    internal int DraftDecode(ReadOnlySpan<Session> sessions, int first, ReadOnlySpan<int> next, int row, bool ofModule)
    {
        var count = next.Length;
        Span<int> positions = stackalloc int[count];
        for (var i = 0; i < count; i++) positions[i] = first + i;
        var session = sessions[0];
        session.Table.Reserve(first + count);
        var step = UploadDecode(sessions, positions, next) with
        {
            PreviousHidden = (ofModule ? Drafts.DraftHidden : Drafts.Hidden) + Drafts.HiddenBytes(row),
            Hidden = Drafts.DraftHidden,
            Logits = Drafts.Logits,
        };
        PlayMtpDecode(step);
        (session.DraftedLength, DraftLogitRows, Taps) = (first + count, count, MtpDecodeTaps(step));

        PlayGreedy(new Step(1, 0, 1, 0, 0) { Logits = Drafts.LogitsOf(count - 1), Sampled = _sampled.Address, Valid = _validIds });
        Span<int> best = stackalloc int[1];
        Stream.Download(_sampled.Address, MemoryMarshal.AsBytes(best));
        return best[0];
    }

    private DraftBuffers Drafts => _drafts ?? throw NoDrafts();

    private ModelException NoDrafts() =>
        new($"{Layout.Name} was compiled without its MTP module and cannot draft; compile it with --speculate.");
}
