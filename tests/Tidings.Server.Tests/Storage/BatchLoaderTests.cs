using System.Collections.Concurrent;
using Shouldly;
using Tidings.Server.Storage;
using Xunit;

namespace Tidings.Server.Tests.Storage;

public sealed class BatchLoaderTests
{
    private readonly ConcurrentQueue<int> _sizes = new();

    [Fact]
    public async Task Requests_of_one_moment_are_one_query()
    {
        var loader = Loader(keys => keys.Where(key => key % 2 == 0).ToDictionary(key => key, key => $"value {key}"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(key => loader.LoadAsync(key % 50, CancellationToken.None)));

        answers[4].ShouldBe("value 4");
        answers[54].ShouldBe("value 4");
        answers[5].ShouldBeNull();
        _sizes.ShouldBe([50]);
    }

    [Fact]
    public async Task A_full_batch_does_not_wait_and_leaves_the_rest_to_the_next()
    {
        var loader = Loader(keys => keys.ToDictionary(key => key, key => $"{key}"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 600).Select(key => loader.LoadAsync(key, CancellationToken.None)));

        answers.ShouldBe(Enumerable.Range(0, 600).Select(key => $"{key}"));
        _sizes.OrderDescending().ShouldBe([256, 256, 88]);
    }

    [Fact]
    public async Task A_fault_reaches_all_who_wait_and_nobody_after_them()
    {
        var isBroken = true;
        var loader = Loader(keys => isBroken ? throw new IOException("broken") : keys.ToDictionary(key => key, key => $"{key}"));
        var first = loader.LoadAsync(1, CancellationToken.None);
        var second = loader.LoadAsync(2, CancellationToken.None);
        await Should.ThrowAsync<IOException>(first);
        await Should.ThrowAsync<IOException>(second);

        isBroken = false;
        (await loader.LoadAsync(1, CancellationToken.None)).ShouldBe("1");
    }

    [Fact]
    public async Task Whoever_gives_up_leaves_the_others_alone()
    {
        using var impatient = new CancellationTokenSource();
        var loader = Loader(keys => keys.ToDictionary(key => key, key => $"{key}"));
        var first = loader.LoadAsync(1, impatient.Token);
        var second = loader.LoadAsync(1, CancellationToken.None);
        await impatient.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(first);
        (await second).ShouldBe("1");
    }

    private BatchLoader<int, string> Loader(Func<IReadOnlyCollection<int>, Dictionary<int, string>> load) => new(
        async keys =>
        {
            await Task.Yield();
            _sizes.Enqueue(keys.Count);
            return load(keys);
        },
        TimeProvider.System);
}
