using ModelDsl.Runtime.Models;

namespace ModelDsl.Runtime.Tests.Models;

public sealed class CausalLanguageModelTests : IDisposable
{
    private readonly HostDevice _device = new();
    private readonly ScriptedModel _model;

    public CausalLanguageModelTests() => _model = new ScriptedModel(_device);

    public void Dispose()
    {
        _model.Dispose();
        _device.Dispose();
    }

    [Fact]
    public void A_long_prompt_goes_in_by_steps_of_what_the_plan_has_room_for()
    {
        using var session = _model.CreateSession();
        _model.Prefill(session, Ids(130));
        Assert.Equal([100, 30], _model.Steps.Select(seen => seen.Step.Tokens));
        Assert.Equal([100, 130], _model.Steps.Select(seen => seen.Step.Context));
        Assert.Equal(Enumerable.Range(100, 30), _model.Steps[1].Positions);
        Assert.Equal(Ids(130)[100..], _model.Steps[1].Ids);
        Assert.Equal(9, _model.Steps[1].Pages.Length);
        foreach (var seen in _model.Steps)
            Assert.Equal(seen.Positions.Select(p => seen.Pages[p / 16] * 16 + p % 16), seen.Slots);
        Assert.Equal(130, session.Length);
        Assert.Equal(1, _model.LogitRows);
    }

    [Fact]
    public void All_logits_come_in_steps_of_the_rows_that_there_are()
    {
        using var session = _model.CreateSession();
        var best = new List<int>();
        _model.Prefill(session, Ids(20), allLogits: true, onStep: first =>
        {
            Assert.Equal(best.Count, first);
            var logits = new float[_model.LogitRows * ScriptedModel.Vocabulary];
            _model.ReadLogits(logits);
            for (var row = 0; row < _model.LogitRows; row++)
                best.Add(logits.AsSpan(row * ScriptedModel.Vocabulary, ScriptedModel.Vocabulary).IndexOf(1f));
        });
        Assert.Equal([7, 7, 6], _model.Steps.Select(seen => seen.Step.LogitRows));
        Assert.Equal(Enumerable.Range(1, 20).Select(length => length % 10), best);
        Assert.Throws<ModelException>(() => _model.ReadLogits(new float[ScriptedModel.Vocabulary], firstRow: 6));
    }

    [Fact]
    public void Sequences_decode_together_each_with_its_own_pages()
    {
        using var a = _model.CreateSession();
        using var b = _model.CreateSession();
        _model.Prefill(a, Ids(16));
        _model.Prefill(b, Ids(70));
        _model.Decode([a, b], [3, 4]);

        var seen = _model.Steps[^1];
        Assert.Equal((2, 71, 2, 2, 5), (seen.Step.Tokens, seen.Step.Context, seen.Step.LogitRows, seen.Step.Splits, seen.Step.MaxPages));
        Assert.Equal([3, 4], seen.Ids);
        Assert.Equal([16, 70], seen.Positions);
        Assert.Equal([17, 71], seen.Lengths);
        Assert.Equal([seen.Pages[1] * 16, seen.Pages[9] * 16 + 6], seen.Slots);
        Assert.Equal([0, 0, 0], seen.Pages[2..5]);
        Assert.Equal(7, seen.Pages[..2].Concat(seen.Pages[5..]).Distinct().Count());

        var tokens = new int[2];
        _model.Sample(Sampling.Greedy, [], tokens);
        Assert.Equal([7, 1], tokens);
    }

    [Fact]
    public void Tokens_of_one_sequence_decode_together_in_order()
    {
        using var a = _model.CreateSession();
        using var b = _model.CreateSession();
        _model.Prefill(a, Ids(15));
        _model.Prefill(b, Ids(3));
        _model.Decode([a, a, b], [3, 4, 5]);

        var seen = _model.Steps[^1];
        Assert.Equal([15, 16, 3], seen.Positions);
        Assert.Equal([16, 17, 4], seen.Lengths);
        Assert.Equal([seen.Pages[0] * 16 + 15, seen.Pages[3] * 16, seen.Pages[4] * 16 + 3], seen.Slots);
        Assert.Equal((17, 4, 3), (a.Length, b.Length, _model.LogitRows));
    }

    [Fact]
    public void Pages_come_back_when_a_session_ends_or_forgets()
    {
        var session = _model.CreateSession();
        _model.Prefill(session, Ids(100));
        Assert.Equal(16 - 7, _model.Pages.FreePages);
        session.Truncate(17);
        Assert.Equal(16 - 2, _model.Pages.FreePages);
        _model.Decode(session, 1);
        Assert.Equal([17], _model.Steps[^1].Positions);
        session.Dispose();
        Assert.Equal(16, _model.Pages.FreePages);
    }

    [Fact]
    public void What_cannot_be_done_is_refused_and_changes_nothing()
    {
        using var session = _model.CreateSession();
        Assert.Contains("no token", Refusal(() => _model.Prefill(session, [])));
        Assert.Contains("Token 10 is none of Scripted: ids are 0 to 9", Refusal(() => _model.Prefill(session, [1, 10])));
        Assert.Contains("Token -1", Refusal(() => _model.Decode(session, -1)));
        Assert.Contains("201 tokens is longer than the 200", Refusal(() => _model.Prefill(session, Ids(201))));
        Assert.Contains("1 to 3", Refusal(() => _model.Decode([session, session, session, session], Ids(4))));
        using var between = _model.CreateSession();
        Assert.Contains("behind each other", Refusal(() => _model.Decode([session, between, session], Ids(3))));
        Assert.Contains(
            "temperature is NaN", Refusal(() => _model.Generate(session, Ids(1), new Generation(1, new Sampling(float.NaN))).ToList()));
        Assert.Contains("top-p is 0", Refusal(() => _model.Generate(session, Ids(1), new Generation(1, new Sampling(1, 0))).ToList()));
        session.Truncate(0);

        using var other = _model.CreateSession();
        _model.Prefill(other, Ids(200));
        Assert.Contains("4 more pages of 16 tokens are needed, 3 of 16 are free", Refusal(() => _model.Prefill(session, Ids(50))));
        Assert.Equal(3, _model.Pages.FreePages);
        Assert.Equal(0, session.Length);
    }

    [Fact]
    public async Task A_model_that_was_disposed_of_says_so_and_touches_no_memory()
    {
        using var session = _model.CreateSession();
        _model.Prefill(session, Ids(3));
        _model.Dispose();
        Assert.Equal(0, _device.LiveAllocations);
        Assert.Throws<ObjectDisposedException>(() => _model.Prefill(session, Ids(3)));
        Assert.Throws<ObjectDisposedException>(() => _model.Decode(session, 1));
        Assert.Throws<ObjectDisposedException>(() => _model.SampleNext(session, Sampling.Greedy));
        Assert.Throws<ObjectDisposedException>(() => _model.ReadLogits(new float[ScriptedModel.Vocabulary]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
        {
            await foreach (var token in _model.GenerateAsync(session, Ids(3), new Generation(4))) Assert.Fail($"There is a token: {token}.");
        });
        _model.Dispose();
    }

    [Fact]
    public void Generation_stops_at_the_end_token_the_limit_or_the_longest_context()
    {
        using var session = _model.CreateSession();
        Assert.Equal([5, 6, 7], _model.Generate(session, Ids(5), new Generation(3)));
        Assert.Equal([8, 9], _model.Generate(session, Ids(1), new Generation(100, EosTokens: [9])));
        session.Truncate(0);
        Assert.Equal([8, 9, 0], _model.Generate(session, Ids(198), new Generation(100)));
    }

    [Fact]
    public void Drawn_text_depends_on_the_seed_alone()
    {
        int[] Text(ulong seed, int? chunk)
        {
            using var session = _model.CreateSession();
            return [.. _model.Generate(session, Ids(20), new Generation(10, new Sampling(1, 0.9f, seed), [], chunk))];
        }
        Assert.Equal(Text(1, null), Text(1, 3));
        Assert.NotEqual(Text(1, null), Text(2, null));
    }

    [Fact]
    public async Task Cancelling_stops_between_tokens()
    {
        using var session = _model.CreateSession();
        using var cancel = new CancellationTokenSource();
        var tokens = new List<int>();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var token in _model.GenerateAsync(session, Ids(5), new Generation(100), cancel.Token))
            {
                tokens.Add(token);
                if (tokens.Count == 3) cancel.Cancel();
            }
        });
        Assert.Equal([5, 6, 7], tokens);
    }

    [Fact]
    public void Rope_tables_hold_the_cosine_of_the_float32_angle_times_the_factor()
    {
        foreach (var position in (int[])[0, 1, 63, 199])
            for (var pair = 0; pair < 2; pair++)
            {
                var angle = (double)(position * (pair == 0 ? 1f : 0.1f));
                var (cos, sin) = _model.RopeAt(position, pair);
                Assert.Equal(2 * Math.Cos(angle), cos, 1e-7);
                Assert.Equal(2 * Math.Sin(angle), sin, 1e-7);
            }
    }

    // Known answers of the Random123 library.
    [Fact]
    public void Philox_gives_its_known_answers()
    {
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Next(0, 0));
        Assert.Equal((0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu), Philox.Next(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue));
        Assert.Equal(
            (0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u), Philox.Next(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e));
        Assert.InRange(Philox.Uniform(1, 2), 0, 0.99999994f);
    }

    [Fact]
    public void A_library_names_the_kernels_that_it_does_not_hold()
    {
        var library = KernelLibrary.FromMemory(new Dictionary<string, ReadOnlyMemory<byte>> { ["a"] = Array.Empty<byte>() });
        Assert.Contains("no kernel named b, c", Refusal(() => library.Load(_device, ["a", "b", "c"])));
    }

    private static int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(i => i * 7 % 10)];

    private static string Refusal(Action action) => Assert.Throws<ModelException>(action).Message;
}
