from ninelives.cli import main

main()
