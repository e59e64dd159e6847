// Most of what these tests do is waiting for other processes. Tests that measure time are in collections of their own.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
[assembly: AssemblyFixture(typeof(Tidings.Testing.Checks.CanarySuite))]

namespace Tidings.Faults.Tests;

/// <summary>Tests that measure time run alone.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
