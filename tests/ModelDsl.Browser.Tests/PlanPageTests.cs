using System.Globalization;
using Microsoft.Playwright;
using ModelDsl.Cli;
using ModelDsl.Testing;

namespace ModelDsl.Browser.Tests;

/// <summary>The page that <c>dsmc plan --html</c> writes, opened, read, zoomed and clicked in a real browser without a network.</summary>
public sealed class PlanPageTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("page-").FullName;
    private readonly List<string> _mistakes = [];
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        if (Testing.Browser.Program is not { } program) return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = ["--no-sandbox", "--disable-gpu"] });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null) await _browser.CloseAsync();
        _playwright?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [BrowserFact]
    public async Task ThePageAnswersFirstAndDrawsEverything()
    {
        var page = await Open();
        Assert.Equal("Pretrain: DeepSeekV3 on 2048 GPUs", await page.TitleAsync());
        var verdicts = await page.Locator("#verdicts").InnerTextAsync();
        Assert.Contains("Does it fit?", verdicts);
        Assert.Contains("of 80.0 GB on the fullest GPU", verdicts);
        Assert.Equal(16, await page.Locator("#gantt text", new() { HasTextString = "rank " }).CountAsync());
        Assert.True(await page.Locator("#gantt [data-op]").CountAsync() > 1000);
        Assert.True(await page.Locator("#lanes rect").CountAsync() > 40);
        Assert.Equal(9, await page.Locator("#memory-chart path").CountAsync());
        Assert.Contains("what a GPU has: 80.0 GB", await page.Locator("#memory-chart").TextContentAsync());
        Assert.Contains("the step", await page.Locator("#parts-table").InnerTextAsync());
        Assert.Contains("every node sends over the other 7", await page.Locator("#failures-table").InnerTextAsync());
        Assert.True(await page.Locator("#sources-table tbody tr").CountAsync() > 5);
    }

    [BrowserFact]
    public async Task ButtonsAndWheelZoomTheStep()
    {
        var page = await Open();
        var (from, to) = await View(page);
        Assert.Equal(0, from);
        await page.ClickAsync("[data-zoom=in]");
        var (nearFrom, nearTo) = await View(page);
        Assert.Equal((to - from) / 2, nearTo - nearFrom, 1e-6);
        Assert.Equal((to + from) / 2, (nearTo + nearFrom) / 2, 1e-6);

        var box = (await page.Locator("#gantt").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + box.Width / 2, box.Y + box.Height / 2);
        for (var i = 0; i < 8; i++) await page.Mouse.WheelAsync(0, -100);
        await page.WaitForFunctionAsync($"Number(document.getElementById('gantt').dataset.to) - Number(document.getElementById('gantt').dataset.from) < {Number((nearTo - nearFrom) / 4)}");
        var wide = await page.EvaluateAsync<float>("Math.max(...[...document.querySelectorAll('#gantt [data-op]')].map(r => Number(r.getAttribute('width'))))");
        Assert.True(wide > 40, $"the widest op has {wide} pixels");

        var (beforeDrag, _) = await View(page);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + box.Width / 2 - 200, box.Y + box.Height / 2, new() { Steps = 4 });
        await page.Mouse.UpAsync();
        Assert.True((await View(page)).From > beforeDrag);

        await page.ClickAsync("[data-view=whole]");
        Assert.Equal((from, to), await View(page));
        await page.Locator("#gantt").FocusAsync();
        await page.Keyboard.PressAsync("+");
        Assert.True((await View(page)).To < to);
    }

    [BrowserFact]
    public async Task PointingTellsAndClickingFollowsAMicroBatch()
    {
        var page = await Open();
        await page.ClickAsync("[data-view=start]");
        var first = page.Locator("#gantt [data-op='0.0']");
        await first.HoverAsync();
        var tip = await page.Locator("#tip").InnerTextAsync();
        Assert.StartsWith("rank 0: forward", tip);
        Assert.Contains("micro-batch 0, stage 0", tip);

        await first.ClickAsync();
        Assert.Contains("Following micro-batch 0 of those that enter at the first rank", await page.Locator("#gantt-hint").InnerTextAsync());
        await page.ClickAsync("[data-view=whole]");
        // Forward and backward on sixteen ranks, the latter in up to two halves.
        Assert.InRange(await page.Locator("#gantt .picked").CountAsync(), 32, 64);
        await page.Locator("#gantt").FocusAsync();
        await page.Keyboard.PressAsync("Escape");
        Assert.Equal(0, await page.Locator("#gantt .faded").CountAsync());
    }

    [BrowserFact]
    public async Task MemoryIsToldByRankAndMoment()
    {
        var page = await Open();
        var before = await page.Locator("#memory-table").InnerTextAsync();
        var options = await page.Locator("#memory-rank option").AllInnerTextsAsync();
        Assert.Contains(options, option => option.EndsWith("(fullest)", StringComparison.Ordinal));
        await page.SelectOptionAsync("#memory-rank", "0");
        Assert.NotEqual(before, await page.Locator("#memory-table").InnerTextAsync());
        await page.Locator("#memory-chart").HoverAsync();
        Assert.Contains("weights", await page.Locator("#tip").InnerTextAsync());
    }

    [BrowserFact]
    public async Task AFailureIsMarkedInThePicture()
    {
        var page = await Open();
        await page.Locator("#failures-table tbody tr", new() { HasTextString = "the planes share nothing" }).HoverAsync();
        Assert.Equal(1, await page.Locator("#topology .failed").CountAsync());
    }

    [BrowserTheory]
    [InlineData("H800x2048.network=slim_fly(radix: 64)", "two halves of q x q switches")]
    [InlineData("H800x2048.network=dragonfly(radix: 64)", "groups of 32 switches that all know one another")]
    [InlineData("H800x2048.network=fat_tree(layers: 3, radix: 64)", "every switch has as many ports up as down")]
    [InlineData("H800x2048.network=none", "")]
    public async Task EveryNetworkHasItsPicture(string set, string caption)
    {
        var page = await Open("--set", set);
        if (caption.Length > 0) Assert.Contains(caption, await page.Locator("#topology").TextContentAsync());
        else Assert.Equal(0, await page.Locator("#network").CountAsync());
    }

    /// <summary>Plans the run, opens its page; scripts that fail and anything fetched are mistakes.</summary>
    private async Task<IPage> Open(params string[] more)
    {
        var file = Path.Combine(_folder, "plan.html");
        using var error = new StringWriter();
        var sample = Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm");
        var exitCode = DsmcCommand.Run(["plan", sample, "--train", "Pretrain", "--html", file, .. more], new IoContext(TextReader.Null, TextWriter.Null, error, IsTerminal: false));
        Assert.True(exitCode == 0, error.ToString());
        var page = await _browser!.NewPageAsync(new() { ViewportSize = new() { Width = 1400, Height = 1000 } });
        page.PageError += (_, mistake) => _mistakes.Add(mistake);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("file:", StringComparison.Ordinal)) _mistakes.Add($"fetches {request.Url}");
        };
        await page.GotoAsync(new Uri(file).AbsoluteUri);
        Assert.Empty(_mistakes);
        return page;
    }

    private static async Task<(double From, double To)> View(IPage page)
    {
        var gantt = page.Locator("#gantt");
        async Task<double> At(string name) => double.Parse((await gantt.GetAttributeAsync(name))!, CultureInfo.InvariantCulture);
        return (await At("data-from"), await At("data-to"));
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
