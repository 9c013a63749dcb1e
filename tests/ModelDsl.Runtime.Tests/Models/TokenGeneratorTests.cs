using ModelDsl.Runtime.Models;

namespace ModelDsl.Runtime.Tests.Models;

/// <summary>Drafting on a model whose tokens are known: after a text of length n comes n modulo 10.</summary>
public sealed class TokenGeneratorTests : IDisposable
{
    private readonly HostDevice _device = new();

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Drafts_that_hold_come_together_and_the_text_is_the_same(int drafts)
    {
        using var model = new ScriptedModel(_device, draftTokens: drafts);
        using var session = model.CreateSession();
        var text = new TokenGenerator(model, session, Sampling.Greedy, [], drafts);
        text.Prefill(Ids(5));
        Assert.Equal([5], text.Next(13).ToArray());
        Assert.Equal(Enumerable.Range(6, drafts + 1).Select(n => n % 10), text.Next(12).ToArray());
        Assert.Equal((drafts, drafts, 6 + drafts), (text.Drafted, text.Accepted, session.Length));
    }

    [Fact]
    public void What_follows_a_wrong_draft_is_forgotten()
    {
        using var model = new ScriptedModel(_device, 256, 3, errsAt: 7);
        using var session = model.CreateSession();
        var text = new TokenGenerator(model, session, Sampling.Greedy, [], 3);
        text.Prefill(Ids(5));
        text.Next(20);

        // Guessed are 6, 2 instead of 7, and 8: the model itself says 6, 7.
        Assert.Equal([6, 7], text.Next(20).ToArray());
        Assert.Equal([5, 6, 2, 8], model.Steps[^1].Ids);
        Assert.Equal((3, 1, 7), (text.Drafted, text.Accepted, session.Length));
        Assert.Equal([8, 9, 0, 1], text.Next(20).ToArray());
        Assert.Equal([7, 8, 9, 0], model.Steps[^1].Ids);
        Assert.Equal([7, 8, 9, 10], model.Steps[^1].Positions);
    }

    [Fact]
    public void The_module_sees_every_token_with_what_the_model_made_of_the_one_before()
    {
        using var model = new ScriptedModel(_device, draftTokens: 2, cacheTokens: 256, errsAt: [12, 15]);
        using var session = model.CreateSession();
        int[] prompt = [7, 3, 1, 4, 1, 5, 9];
        int[] text = [.. prompt, .. model.Generate(session, prompt, new Generation(12, DraftTokens: 2, ChunkTokens: 3))];
        Assert.Equal([7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8], text[7..]);

        // The last word on each position is the text's own token, and the model's hidden state there.
        foreach (var row in model.Drafts.GroupBy(draft => draft.Position).Where(row => row.Key < text.Length - 1))
            Assert.Equal((row.Key, text[row.Key + 1], row.Key), row.Last());
        Assert.Equal(Enumerable.Range(0, text.Length - 1), model.Drafts.Select(draft => draft.Position).Distinct().Where(p => p < text.Length - 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Generation_stops_where_it_would_without_drafts(int drafts)
    {
        using var model = new ScriptedModel(_device, draftTokens: drafts);
        using var session = model.CreateSession();
        for (var most = 1; most < 8; most++)
        {
            session.Truncate(0);
            Assert.Equal(Enumerable.Range(5, most).Select(n => n % 10), model.Generate(session, Ids(5), new Generation(most, DraftTokens: drafts)));
            Assert.Equal(4 + most, session.Length);
        }

        session.Truncate(0);
        Assert.Equal([5, 6, 7], model.Generate(session, Ids(5), new Generation(50, EosTokens: [7], DraftTokens: drafts)));
        Assert.Equal(7, session.Length);
        session.Truncate(0);
        Assert.Equal([6, 7, 8, 9, 0], model.Generate(session, Ids(196), new Generation(50, DraftTokens: drafts)));
        session.Truncate(0);
        Assert.Equal([5, 6], model.Generate(session, Ids(5), new Generation(50, DraftTokens: drafts)).Take(2));
        Assert.Equal(6, session.Length);
    }

    [Fact]
    public void A_session_made_with_drafts_goes_on_with_drafts()
    {
        using var model = new ScriptedModel(_device, draftTokens: 2);
        using var session = model.CreateSession();
        Assert.Equal([5, 6, 7, 8], model.Generate(session, Ids(5), new Generation(4, DraftTokens: 2)));
        Assert.Equal([1, 2, 3], model.Generate(session, new[] { 8, 0, 0 }, new Generation(3, DraftTokens: 2)));
    }

    [Fact]
    public void Drawn_text_is_the_same_with_and_without_drafts()
    {
        using var model = new ScriptedModel(_device, draftTokens: 3);
        int[] Text(int drafts)
        {
            using var session = model.CreateSession();
            return [.. model.Generate(session, Ids(20), new Generation(40, new Sampling(1, 0.9f, 3), [], DraftTokens: drafts))];
        }
        Assert.Equal(Text(0), Text(1));
        Assert.Equal(Text(0), Text(3));
    }

    [Fact]
    public void What_cannot_be_drafted_is_refused()
    {
        using var plain = new ScriptedModel(_device);
        using var model = new ScriptedModel(_device, draftTokens: 1);
        using var other = plain.CreateSession();
        using var session = model.CreateSession();
        Assert.Contains("1 drafted tokens per step are asked for; Scripted was compiled for 0 to 0", Refusal(plain, other, 1));
        Assert.Contains("compiled for 0 to 1", Refusal(model, session, 2));
        model.Prefill(session, Ids(5));
        Assert.Contains("begun without drafts", Refusal(model, session, 1));
    }

    private static string Refusal(CausalLanguageModel model, Session session, int drafts) =>
        Assert.Throws<ModelException>(() => new TokenGenerator(model, session, Sampling.Greedy, [], drafts)).Message;

    private static int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(i => i * 7 % 10)];
}
