// Each test has several servers of its own: one at a time is what a small machine can carry.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(Tidings.Testing.Checks.CanarySuite))]
